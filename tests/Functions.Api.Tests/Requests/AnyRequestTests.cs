using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Microsoft.Azure.Functions.Worker;
using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.Functions.Api.Tests.Running;
using NodeStash.LocalHost.Triggers;

namespace NodeStash.Functions.Api.Tests.Requests;

/// <summary>Whatever is sent, what comes back is an answer of ours: made-up requests over all routes.</summary>
public sealed class AnyRequestTests(Server server) : ApiTests(server)
{
    private const int Requests = 2000;
    private const int AtOnce = 4;

    private static readonly IReadOnlyList<(string Method, string Route)> Routes =
    [
        .. FunctionCatalog.Of(typeof(ApiServices).Assembly).TriggeredBy<HttpTriggerAttribute>()
            .SelectMany(f => f.Trigger.Methods ?? ["get"], (f, method) => (method.ToUpperInvariant(), f.Trigger.Route!)),
    ];

    private static readonly string[] Words =
    [
        "", " ", "x", "Jane", "jane@acme.com", "2026-01-15", "2026-01-15T10:30:00Z", "48000.00", "-1", "EUR", "contact", "text", "select", "won", "note", "*", "contacts:read",
        "https://hooks.example.com", "true", "null", "'; DROP TABLE records; --", "%", "_", "\\", "\"", "\u0001", "\u0000", "\ud800", "😀", "ä", "𝒳", "\u202e", "{", "[", "ps_00000000000000000000",
        "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz",
    ];

    private static readonly string[] Numbers = ["0", "-0", "1", "-1", "1.5", "1e5", "1e308", "1e999", "9223372036854775808", "0.001", "100000000000000000000000000000000000000"];

    private static readonly string[] Parameters =
    [
        "limit", "cursor", "sort", "include", "fields", "dry_run", "force", "email", "email[eq]", "created_at[gte]", "custom_fields[x]", "custom_fields[x][in]", "tags", "value[lt]", "type",
        "company.industry", "company.industry[contains]", "search", "[", "]", "a[b][c]", "", "sort[eq]", "is_done", "entity_type", "record_id", "min_value",
    ];

    [Fact]
    public async Task Is_answered_in_an_envelope_and_never_fails()
    {
        var ids = await Records();
        var seed = Random.Shared.Next();
        var next = -1;
        var (wrong, seen) = (new ConcurrentQueue<string>(), new ConcurrentDictionary<int, int>());
        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(async _ =>
        {
            for (int i; (i = Interlocked.Increment(ref next)) < Requests && wrong.IsEmpty;)
            {
                var request = Request.Make(new Random(unchecked(seed + i)), ids);
                var reply = await Api.Send(new HttpMethod(request.Method), request.Path, request.Body, request.Headers);
                seen.AddOrUpdate(reply.Status, 1, (_, count) => count + 1);
                if (Fault(reply) is { } fault)
                {
                    wrong.Enqueue($"{fault}\nseed {seed} + {i}: {request.Method} {request.Path}\n{string.Join('\n', request.Headers)}\n{request.Body switch { byte[] bytes => Encoding.Latin1.GetString(bytes), var body => body }}\n{reply.Status} {reply.Raw}");
                }
            }
        }));
        Assert.True(wrong.IsEmpty, wrong.FirstOrDefault());

        // The requests are no mere noise: they get through to what they are about, and are refused in every way there is.
        Assert.All([200, 201, 204, 400, 401, 404, 405], status => Assert.True(seen.GetValueOrDefault(status) >= 5, string.Join(' ', seen)));
    }

    private static string? Fault(Reply reply)
    {
        if (reply.Header("X-Request-Id") is not { } id || !id.StartsWith("req_", StringComparison.Ordinal)) return "no X-Request-Id";
        if (reply.Status is < 200 or >= 500 or (>= 300 and < 400 and not 304)) return "unexpected status";
        if (reply.Status is 204 or 304) return reply.Raw.Length == 0 ? null : "a body where there is none";
        if (reply.Body.ValueKind is not JsonValueKind.Object) return "no JSON object";
        if (reply.Status < 400) return reply.Body.TryGetProperty("meta", out _) ? null : "no meta";
        if (reply.Header("Content-Type") is "application/problem+json") return reply.Body.TryGetProperty("code", out _) ? null : "no problem";
        return reply.Body.TryGetProperty("error", out var error) && error.GetProperty("code").GetString()!.Length > 0 && error.GetProperty("message").GetString()!.Length > 0 ? null : "no error";
    }

    /// <summary>Ids of records that exist, of every kind.</summary>
    private async Task<IReadOnlyList<string>> Records()
    {
        var pipeline = await NewPipeline();
        return
        [
            (await Api.Create("contacts", new { email = "jane@acme.com" })).Id, (await Api.Create("companies", new { name = "Acme" })).Id, (await Api.Create("deals", new { title = "T" })).Id,
            (await Api.Create("activities", new { type = "note" })).Id, (await Define("contact", "x", "select", ["a", "b"])).Id, pipeline.Id, StageId(pipeline, "Talks"), (await Api.Create("tags", new { name = "Key account" })).Id,
            (await Api.Create("webhooks", new { url = "https://hooks.example.com", is_enabled = false })).Id, (await Api.Create("api-keys", new { name = "K", scopes = new[] { "contacts:read" } })).Id,
            Server.FreshId("ct_"), Server.FreshId("ps_"), "ct_", "x",
        ];
    }

    private sealed record Request(string Method, string Path, object? Body, (string Name, string Value)[] Headers)
    {
        public static Request Make(Random random, IReadOnlyList<string> ids)
        {
            var (method, route) = Pick(random, Routes);
            if (random.Next(20) == 0) method = Pick(random, ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
            var path = string.Join('/', route.Split('/').Select(part => !part.StartsWith('{') ? part : random.Next(15) == 0 ? Escaped(random) : Likely(random, ids, route, part)));
            var query = random.Next(3) > 0 ? "" : "?" + string.Join('&', Enumerable.Range(0, random.Next(1, 4)).Select(_ => $"{Uri.EscapeDataString(Pick(random, Parameters))}={Escaped(random)}"));
            return new Request(method, $"/{path}{query}", method is "GET" or "DELETE" or "OPTIONS" ? null : BodyOf(random, ids, route), [.. HeadersOf(random)]);
        }

        /// <summary>An id, mostly of the kind the route is about.</summary>
        private static string Likely(Random random, IReadOnlyList<string> ids, string route, string part)
        {
            var prefix = part is "{stageId}" ? Stage.Prefix : Catalog.All.FirstOrDefault(s => route.StartsWith($"v1/{s.Collection}/", StringComparison.Ordinal))?.Prefix ?? "";
            return random.Next(5) == 0 ? Pick(random, ids) : Pick(random, [.. ids.Where(id => id.StartsWith(prefix, StringComparison.Ordinal))]);
        }

        private static object BodyOf(Random random, IReadOnlyList<string> ids, string route)
        {
            var schema = Catalog.All.FirstOrDefault(s => route.StartsWith($"v1/{s.Collection}", StringComparison.Ordinal)) ?? Contact.Schema;
            var members = schema.Fields.Where(f => f.IsRequired ? random.Next(10) > 0 : f.Access is FieldAccess.ReadWrite ? random.Next(4) == 0 : random.Next(20) == 0)
                .Select(f => $"\"{f.Name}\":{(random.Next(6) > 0 ? Fitting(random, ids, f) : Value(random, ids, 0))}")
                .Concat(random.Next(15) == 0 ? [$"{Quoted(Pick(random, Words))}:1"] : []);
            var text = "{" + string.Join(',', members) + "}";
            if (random.Next(8) > 0) return text;
            var bytes = Encoding.UTF8.GetBytes(text);
            for (var i = random.Next(1, 4); i > 0; i--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            return random.Next(3) == 0 ? bytes[..random.Next(bytes.Length)] : bytes;
        }

        private static string Fitting(Random random, IReadOnlyList<string> ids, Field field) => field switch
        {
            ChoiceField choice => Quoted(Pick(random, choice.Choices)),
            EmailField => $"\"e{random.Next(50)}@acme.com\"",
            SlugField => $"\"s{random.Next(50)}\"",
            CurrencyField => "\"USD\"",
            LinkField link => Quoted(ids.FirstOrDefault(id => id.StartsWith(link.Prefix, StringComparison.Ordinal)) ?? link.Prefix),
            FlagField => random.Next(2) == 0 ? "true" : "false",
            MoneyField or IntegerField => Pick(random, ["0", "7", "4800"]),
            DateField or TimeField => "\"2099-01-15\"",
            MapField => Pick(random, ["{}", "{\"y\":1}", "{\"y\":null,\"z\":[{}]}"]),
            StagesField => """[{"name":"O"},{"name":"W","type":"won"},{"name":"L","type":"lost"}]""",
            TextListField => field.Name switch { "scopes" => "[\"contacts:read\"]", "events" => "[\"deal.*\"]", _ => "[\"a\",\"b\"]" },
            _ when field == Core.Webhooks.Webhook.Url => "\"https://hooks.example.com/in\"",
            _ => Quoted(Pick(random, ["Jane", "acme.com", "ä😀"])),
        };

        private static string Value(Random random, IReadOnlyList<string> ids, int depth) => random.Next(depth > 3 ? 5 : 8) switch
        {
            0 => Pick(random, ["null", "true", "false"]),
            1 => Pick(random, Numbers),
            2 => Quoted(Pick(random, ids)),
            3 or 4 => Quoted(Pick(random, Words)),
            5 => "[" + string.Join(',', Enumerable.Range(0, random.Next(4)).Select(_ => Value(random, ids, depth + 1))) + "]",
            _ => "{" + string.Join(',', Enumerable.Range(0, random.Next(4)).Select(_ => $"{Quoted(Pick(random, ["a", "x", "name", "type", "position", .. Words]))}:{Value(random, ids, depth + 1)}")) + "}",
        };

        private static IEnumerable<(string Name, string Value)> HeadersOf(Random random)
        {
            if (random.Next(12) == 0) yield return ("If-Match", Pick(random, ["\"1\"", "*", "\"x\"", "W/\"1\"", "\"99999999999999999999\""]));
            if (random.Next(12) == 0) yield return ("If-None-Match", Pick(random, ["\"1\"", "*", "x", "W/\"1\""]));
            if (random.Next(12) == 0) yield return ("Accept", Pick(random, ["application/problem+json", "text/html", "*/*;q=x"]));
            if (random.Next(12) == 0) yield return ("Idempotency-Key", Pick(random, ["k1", "k2", "k3", new string('k', 256)]));
            if (random.Next(20) == 0) yield return ("Authorization", Pick(random, ["Bearer", "Basic x", "Bearer nds_live_x"]));
        }

        private static string Escaped(Random random)
        {
            // %00 in a path does not reach the API: the server refuses it (see RequestLineTests).
            var word = Pick(random, Words).Replace("\u0000", "", StringComparison.Ordinal).Replace("\ud800", "", StringComparison.Ordinal);
            return word.Length == 0 ? "-" : Uri.EscapeDataString(word);
        }

        /// <summary>As JSON, lone surrogates and control characters escaped.</summary>
        private static string Quoted(string text) => "\"" + string.Concat(text.Select(c => c is '"' or '\\' || c < ' ' || char.IsSurrogate(c) ? $"\\u{(int)c:x4}" : c.ToString())) + "\"";

        private static T Pick<T>(Random random, IReadOnlyList<T> of) => of[random.Next(of.Count)];
    }
}
