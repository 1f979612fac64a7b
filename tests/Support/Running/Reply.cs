using System.Text.Json;

namespace NodeStash.Support.Running;

/// <summary>What came back.</summary>
public sealed class Reply
{
    private readonly Dictionary<string, string> headers;

    private Reply(int status, Dictionary<string, string> headers, string raw, JsonElement body)
    {
        Status = status;
        this.headers = headers;
        Raw = raw;
        Body = body;
    }

    public int Status { get; }

    /// <summary>The body as text.</summary>
    public string Raw { get; }

    /// <summary>The body as JSON; undefined where there is none.</summary>
    public JsonElement Body { get; }

    public static async Task<Reply> Read(HttpResponseMessage response)
    {
        var headers =
            response.Headers.Concat(response.Content.Headers).ToDictionary(h => h.Key, h => string.Join(", ", h.Value), StringComparer.OrdinalIgnoreCase);
        var raw = await response.Content.ReadAsStringAsync();
        return new Reply((int)response.StatusCode, headers, raw, raw.Length > 0 && raw[0] == '{' ? JsonElement.Parse(raw) : default);
    }

    /// <summary>The value of a header; null where there is none.</summary>
    public string? Header(string name) => headers.GetValueOrDefault(name);

    public string ETag => Header("ETag") ?? throw new InvalidOperationException("There is no ETag.");

    public JsonElement Data => Body.GetProperty("data");

    public IReadOnlyList<JsonElement> List => [.. Data.EnumerateArray()];

    /// <summary>The ids of a list, in order.</summary>
    public IReadOnlyList<string> Ids => [.. List.Select(item => item.GetProperty("id").GetString()!)];

    public string Id => Data.GetProperty("id").GetString()!;

    public string? NextCursor => Body.GetProperty("meta").GetProperty("pagination").GetProperty("next_cursor").GetString();

    /// <summary>An attribute of the one resource answered.</summary>
    public JsonElement this[string attribute] => Data.GetProperty("attributes").GetProperty(attribute);

    /// <summary>An attribute that is text or null.</summary>
    public string? Text(string attribute) => this[attribute].GetString();

    public string Code => Error.GetProperty("code").GetString()!;

    public string Message => Error.GetProperty("message").GetString()!;

    /// <summary>The faulty fields named, in order.</summary>
    public IReadOnlyList<string> Fields =>
        Error.TryGetProperty("details", out var details) ? [.. details.EnumerateArray().Select(d => d.GetProperty("field").GetString()!)] : [];

    private JsonElement Error => Body.GetProperty("error");

    /// <summary>The message about a field.</summary>
    public string FaultOf(string field) =>
        Error.GetProperty("details").EnumerateArray().First(d => d.GetProperty("field").GetString() == field).GetProperty("message").GetString()!;

    /// <summary>Fails, showing the body, unless it has this status.</summary>
    public Reply Is(int status)
    {
        if (Status != status) Assert.Fail($"Expected {status}, got {Status}: {Raw}");
        return this;
    }

    /// <summary>Fails unless it is this error, in the envelope of errors.</summary>
    /// <param name="status">The status.</param>
    /// <param name="code">The code.</param>
    /// <param name="fields">Exactly the fields named, in whatever order; none for any.</param>
    public Reply IsError(int status, string code, params string[] fields)
    {
        Is(status);
        Assert.Equal(code, Code);
        Assert.NotEmpty(Message);
        Assert.Equal(["error", "meta"], Body.EnumerateObject().Select(p => p.Name));
        Assert.Equal(Header("X-Request-Id"), Body.GetProperty("meta").GetProperty("request_id").GetString());
        if (fields.Length > 0) Assert.Equal(fields.Order(StringComparer.Ordinal), Fields.Order(StringComparer.Ordinal));
        return this;
    }

    /// <summary>Fails unless it is a 400 that names exactly these fields.</summary>
    public Reply IsInvalid(params string[] fields) => IsError(400, "VALIDATION_ERROR", fields);

    /// <summary>Fails unless it is a 404 in the words every unknown id gets.</summary>
    public Reply IsNotFound() => IsError(404, "NOT_FOUND");

    /// <summary>The value of an attribute, as compact JSON.</summary>
    public string Json(string attribute) => JsonSerializer.Serialize(this[attribute]);
}
