using System.Buffers.Text;
using System.Globalization;
using System.Text;
using NodeStash.Core.Resources;

namespace NodeStash.Functions.Api.Tests.Fuzz;

/// <summary>What hostile clients do to a request that was valid.</summary>
internal sealed class Mutations(Pool pool)
{
    /// <summary>Well above what the API takes, well below what the server under it reads away.</summary>
    private const int MaxBytes = 4 * 1024 * 1024;

    private static readonly string[] Words =
    [
        "", " ", "x", "null", "true", "0", "-1", "Jane", "jane@acme.com", "2026-01-15", "0001-01-01", "9999-12-31", "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00", "2026-02-30", "2026-01-15T10:30:60Z", "2026-01-15T10:30",
        "24:00:00", "EUR", "eur", "48000.00", "1e2", "NaN", "Infinity", "٣", "contact", "select", "won", "*", "contacts:read", "https://localhost",
        "https://[::1]:9/", "http://169.254.169.254/", "https://user:pw@host/", "javascript:alert(1)",
        "'; DROP TABLE records; --", "\" OR \"\"=\"", "$.a", "$[0]", "{}", "[]", "%", "_", "*?", "\\", "\"", "<script>", "../../etc/passwd", "\u0001", "\u0000",
        "\ud800", "\udc00\ud800", "\uffff", "\ufeff", "\ufffd", "😀", "\U0010ffff",
        "e\u0301", "ß", "İ", "ǆ", "𝒳", "\u202e", "\u200b", "日本", "a\nb", "a\tb", "__proto__", "constructor", "id", "type", "ps_00000000000000000000",
        "ct_zzzzzzzzzzzzzzzzzzzz", "CT_00000000000000000000",
    ];

    private static readonly string[] Numbers =
    [
        "0", "-0", "1", "-1", "0.1", "1.005", "1e5", "1E+2", "1e-7", "1e308", "1e309", "-1e400", "1e-400", "2147483647", "2147483648", "-2147483649",
        "9007199254740993", "9223372036854775807", "9223372036854775808", "-9223372036854775809",
        "18446744073709551616", "79228162514264337593543950336", "100000000000000000000000000000000000000000000000", "0.0000000000000000000000000000000000001",
        "123456789012345678901234567890.123456789012345678901234567890",
    ];

    private static readonly string[] Names =
    [
        "limit", "cursor", "sort", "include", "fields", "dry_run", "force", "email", "email[eq]", "email[in]", "email[contains]", "created_at[gte]",
        "created_at[in]", "updated_at[exists]", "custom_fields[x]", "custom_fields[x][in]", "custom_fields[n][gt]",
        "custom_fields[x][y][z]", "custom_fields[]", "custom_fields", "custom_fields[$.a]", "custom_fields['x']", "tags", "tags[in]", "value[lt]", "min_value",
        "type", "company.industry", "company.industry[contains]", "company.company.name", "company.", ".name",
        "contact.custom_fields[x]", "pipeline.is_default", "search", "[", "]", "[]", "a[b][c]", "sort[eq]", "is_done", "entity_type", "record_id", "stage_id",
        "owner_id", "metadata[a]", "secret", "stage_versions", "hashes[eq]", "id", "id[eq]", "%00", "%ff", "%F0%9F%98%80",
    ];

    private static readonly string[] ContentTypes = ["text/plain", "", "application/json; charset=utf-16", "application/json; charset=\"utf-8\"",
        "application/json;", "application/vnd.api+json", "multipart/form-data; boundary=x", "*/*", "application/json, text/plain", "json"];

    public FuzzRequest Mutate(Random random, FuzzRequest request) => random.Next(10) switch
    {
        < 4 when request.Json is not null =>
            Spoil(random, request.Json) is var json && json.ToString().Length < MaxBytes ? request with { Json = json } : request,
        4 when request.Json is not null => SpoilBytes(random, request),
        5 => request with { Segments = SpoilPath(random, request.Segments) },
        6 => SpoilHeaders(random, request),
        7 when random.OneIn(4) =>
            request with { Method = random.Pick(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "PROPFIND", "get", "X"]) },
        8 when random.OneIn(6) => BreakHttp(random, request),
        _ => request with { Query = SpoilQuery(random, request.Query) },
    };

    private JsonText Spoil(Random random, JsonText json)
    {
        var node = random.Pick([.. json.All()]);
        var objects = json.All().OfType<JsonText.Object>().ToList();
        switch (random.Next(8))
        {
            case 0 when node is JsonText.Array { Items.Count: > 0 } list:
                return json.With(
                    node, new JsonText.Array([.. Enumerable.Range(0, random.Pick([2, 21, 41, 101, 300])).Select(i => list.Items[i % list.Items.Count])]));
            case 1:
                return json.With(node, random.OneIn(2) ? new JsonText.Array([node]) : JsonText.ObjectOf((random.Pick(Words), node)));
            case 2 when objects.Count > 0:
                var added = random.Pick(objects);
                return json.With(added,
                    new JsonText.Object(
                        [.. added.Members, (random.OneIn(3) && added.Members.Count > 0 ? random.Pick(added.Members).Name : Name(random), Hostile(random))]));
            case 3 when objects.Count > 0 && random.Pick(objects) is { Members.Count: > 0 } lost:
                var gone = random.Next(lost.Members.Count);
                return json.With(lost, new JsonText.Object([.. lost.Members.Where((_, i) => i != gone)]));
            case 4 when objects.Count > 0 && random.Pick(objects) is { Members.Count: > 0 } renamed:
                var at = random.Next(renamed.Members.Count);
                return json.With(renamed, new JsonText.Object([.. renamed.Members.Select((member, i) => i == at ? (Name(random), member.Value) : member)]));
            default:
                return json.With(node, Hostile(random));
        }
    }

    private string Name(Random random) => random.Next(4) switch
    {
        0 => random.Pick(Words),
        1 => pool.AnyId(random),
        2 => new string('n', random.Pick([1, 100, 101, 5000])),
        _ => random.Pick([.. random.Pick(Crm.Catalog.All).Fields.Select(f => f.Name)]),
    };

    private JsonText Hostile(Random random) => random.Next(9) switch
    {
        0 => new JsonText.Scalar(
            random.Pick(["null", "true", "false", "{}", "[]", "undefined", "NaN", "'x'", "01", "+1", ".5", "1.", "0x10", "\"\\x\"", "\"\\ud800\"",
                "\"\\u0000\"", "\"a\nb\""])),
        1 => new JsonText.Scalar(random.Pick(Numbers)),
        2 or 3 => JsonText.Of(random.Pick(Words)),
        4 or 5 => JsonText.Of(pool.AnyId(random)),
        6 => JsonText.Of(
            string.Concat(Enumerable.Repeat(random.Pick(["x", "😀", "\u0301", "a "]), random.Pick([20, 51, 101, 255, 301, 2049, 10_001, 60_000])))),
        7 when random.Pick([2, 15, 31, 33, 70, 2000]) is var depth =>
            new JsonText.Scalar(
                random.OneIn(2)
                    ? new string('[', depth) + new string(']', depth)
                    : string.Concat(Enumerable.Repeat("{\"a\":", depth)) + "1" + new string('}', depth)),
        _ => new JsonText.Object([.. Enumerable.Range(0, random.Pick([1, 3, 101])).Select(i => (i == 0 ? random.Pick(Words) : $"f{i}", JsonText.Of("x")))]),
    };

    private static FuzzRequest SpoilBytes(Random random, FuzzRequest request)
    {
        var text = request.Json!.ToString();
        var bytes = Encoding.UTF8.GetBytes(text);
        switch (random.Next(12))
        {
            case 0: return request with { Raw = bytes[..random.Next(bytes.Length)] };
            case 1: return request with { Raw = [0xEF, 0xBB, 0xBF, .. bytes] };
            case 2: return request with { Raw = Encoding.Unicode.GetBytes(text) };
            case 3: return request with { Raw = [.. bytes, .. bytes] };
            case 4: return request with { Raw = Encoding.UTF8.GetBytes($" \t\r\n/* x */ {text} // x") };
            case 5: return request with { Raw = Encoding.UTF8.GetBytes(text.Replace("}", ",}", StringComparison.Ordinal)) };
            case 6 when random.OneIn(20): return request with { Raw = Encoding.UTF8.GetBytes($"{new string(' ', 1024 * 1024)}{text}") };
            case 7: return request with { IsChunked = true };
            case 8: return request with { Raw = [] };
            case 9: return request with { Raw = Encoding.UTF8.GetBytes($"[{text}]") };
            default:
                for (var i = random.Next(1, 4); i > 0; i--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
                return request with { Raw = bytes };
        }
    }

    private List<string> SpoilPath(Random random, IReadOnlyList<string> segments)
    {
        if (segments.Count == 0) return ["v1"];
        var path = segments.ToList();
        var at = random.Next(path.Count);
        var id = pool.AnyId(random);
        switch (random.Next(8))
        {
            case 0: path.Insert(at, random.Pick(["", ".", "..", "%2e%2e", "x", id])); break;
            case 1: path.RemoveAt(at); break;
            case 2: path.Add(random.Pick(["", "custom-fields", "timeline", "stages", "deliveries", "rotate", id, "x"])); break;
            case 3 or 4: path[at] = id; break;
            case 5:
                path[at] = random.Pick(
                [id.ToUpperInvariant(), id[..^1], id + "0", id + "%20", "%20" + id, id.Replace("_", "%5F", StringComparison.Ordinal),
                    id[..4] + "%F0%9F%98%80"]); break;
            case 6: path[at] = path[at].ToUpperInvariant(); break;
            default:
                path[at] = random.Pick(
                ["%2F", "..%2F..", "a%2Fb", "%5C", ";x=1", "*", "%25", "%FF%FE", "%C3%28", "'%20OR%201=1", "~", "$ref", "%E2%80%AE", new string('a', 3000),
                    "-1", "null", "undefined", "%0d%0aX:1", "{id}"]); break;
        }

        return path;
    }

    private List<(string, string)> SpoilQuery(Random random, IReadOnlyList<(string Name, string Value)> query)
    {
        var spoilt = query.Select(p => (p.Name, p.Value)).ToList();
        if (spoilt.Count > 0 && random.OneIn(3))
        {
            var at = random.Next(spoilt.Count);
            spoilt[at] = random.Next(4) switch
            {
                0 => (spoilt[at].Name, Value(random)),
                1 => (spoilt[at].Name + random.Pick(["[", "]", "[]", "[eq]", "[x]", "%00", "."]), spoilt[at].Value),
                2 => (random.Pick(Names), spoilt[at].Value),
                _ => (spoilt[at].Name.ToUpperInvariant(), spoilt[at].Value),
            };
            return spoilt;
        }

        if (spoilt.Count > 0 && random.OneIn(5)) spoilt.Add(spoilt[0]);
        else spoilt.Add(random.Next(4) switch
        {
            0 => ("cursor", Cursor(random)),
            1 => ("sort",
                random.Pick(["", ",", "-", "--created_at", "created_at,created_at", "id", "custom_fields[x]", "-custom_fields[n],custom_fields[x]",
                    "custom_fields[X]", string.Join(',', Enumerable.Range(0, 100).Select(i => $"custom_fields[f{i}]"))])),
            _ => (random.Pick(Names), Value(random)),
        });
        return spoilt;
    }

    private string Value(Random random) => random.Next(8) switch
    {
        0 => random.Pick(["%", "%zz", "%F0%28", "%C0%80", "%00", "+", "%2B", "&&", "==", "%0a", "#", "%ud800", "%ED%A0%80"]),
        1 => pool.AnyId(random),
        2 => random.Pick(Numbers).Replace("+", "%2B", StringComparison.Ordinal),
        3 => string.Join(',', Enumerable.Repeat(random.Pick(["a", "1", "true", ""]), random.Pick([2, 100, 101, 1500]))),
        4 => new string('v', random.Pick([100, 3000, 6000])),
        _ => Escaped(random.Pick(Words)),
    };

    /// <summary>A real one of whatever list; cut, changed, or made up with the fingerprint of a real one.</summary>
    private string Cursor(Random random)
    {
        var cursor = pool.Cursor(random);
        switch (random.Next(5))
        {
            case 0: return cursor[..random.Next(cursor.Length)];
            case 1: return Escaped(random.Pick(Words));
            case 2 or 3 when Base64Url.IsValid(cursor):
                var json = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(cursor));
                if (!json.StartsWith('{')) return cursor;
                var forged = Spoil(random, JsonText.Parse(json)).ToString();
                return Base64Url.EncodeToString(Encoding.UTF8.GetBytes(forged));
            default: return cursor;
        }
    }

    private static FuzzRequest SpoilHeaders(Random random, FuzzRequest request)
    {
        var headers = request.Headers.ToList();
        void Set(string name, string value)
        {
            headers.RemoveAll(h => h.Name == name);
            headers.Add((name, value));
        }

        switch (random.Next(10))
        {
            case 0: Set("Content-Type", random.Pick(ContentTypes)); break;
            case 1: headers.Add(("Content-Encoding", random.Pick(["gzip", "identity", "br, gzip", "x"]))); break;
            case 2:
                Set("If-Match",
                random.Pick(["\"\"", "\"x\"", "1", "W/\"1\"", "\"99999999999999999999\"", "\"-1\"", "\"1\", \"2\"", "\"9223372036854775807\"", "*, *",
                    new string('"', 200)])); break;
            case 3: Set("If-None-Match", random.Pick(["*", "W/\"1\"", "x", "\"1\",\"2\"", ",,,"])); break;
            case 4:
                headers.Add(
                ("Accept", random.Pick(
                    ["application/problem+json", "text/html", "*/*;q=x", "", "application/problem+json, application/json;q=0.9",
                        new string('a', 5000)]))); break;
            case 5:
                headers.Add(
                ("Idempotency-Key", random.Pick(["", " ", "k1", "k2", "k3", new string('k', 255), new string('k', 256), "\"k\"", "k,k"]))); break;
            case 6 when random.OneIn(3):
                Set("Authorization",
                    random.Pick(["", "Bearer", "Bearer ", "Basic eDp5", "Bearer x y", "bearer nds_live_x", "Bearer nds_live_" + new string('0', 36),
                        "Bearer " + new string('a', 8000)])); break;
            case 7: headers.Add(("Idempotency-Key", "second")); break;
            case 8:
                headers.Add(
                (random.Pick(
                    ["X-HTTP-Method-Override", "X-Forwarded-For", "X-Request-Id", "Range", "Cookie", "Origin", "Expect", "Prefer", "If-Modified-Since"]),
                    random.Pick(["DELETE", "127.0.0.1", "bytes=0-", "a=b; c=d", "100-continue", "null"]))); break;
            default: for (var i = 0; i < 60; i++) headers.Add(($"X-Many-{i.ToString(CultureInfo.InvariantCulture)}", "x")); break;
        }

        // An expectation other than the one there is, is the server's to refuse.
        return request with { Headers = headers, BreaksHttp = request.BreaksHttp || headers.Exists(h => h.Name is "Expect" && h.Value is not "100-continue") };
    }

    private static FuzzRequest BreakHttp(Random random, FuzzRequest request)
    {
        var broken = request with { BreaksHttp = true };
        return random.Next(12) switch
        {
            0 => broken with { Segments = [.. request.Segments, "%00"] },
            1 => broken with { Segments = [.. request.Segments, "\u00ff\u00fe"] },
            2 => broken with { Segments = [.. request.Segments, new string('a', 20_000)] },
            3 => broken with { Segments = [.. request.Segments, "a b"] },
            4 => broken with { Headers = [.. request.Headers, ("X-Long", new string('a', 40_000))] },
            5 => broken with { Headers = [.. request.Headers, .. Enumerable.Range(0, 120).Select(i => ($"X-{i}", "x"))] },
            6 => broken with { Headers = [.. request.Headers, ("Bad Name", "x")] },
            7 => broken with { Headers = [.. request.Headers, ("X-Bad", "\u00ff\u0001")] },
            8 => broken with { Headers = [.. request.Headers, ("Content-Length", random.Pick(["-1", "x", "99999999999999999999", "5000", "1, 2"]))] },
            9 => broken with { Headers = [.. request.Headers, ("Transfer-Encoding", random.Pick(["chunked", "gzip, chunked", "x"]))] },
            10 => broken with { Method = random.Pick(["", "G\u00ff", "GET\t", new string('M', 5000)]) },
            _ => broken with { Headers = [.. request.Headers, ("Host", "a/b"), ("Host", "c")] },
        };
    }

    private static string Escaped(string text) => Uri.EscapeDataString(string.Concat(text.Where(c => !char.IsSurrogate(c) || text.Length > 1)));
}
