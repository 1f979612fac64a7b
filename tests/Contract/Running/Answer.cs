using System.Text.Json;
using System.Text.Json.Nodes;

namespace NodeStash.Contract.Tests.Running;

/// <summary>An HTTP answer, and what the contract says of every answer.</summary>
public sealed class Answer
{
    private readonly Dictionary<string, string> headers;

    private Answer(int status, Dictionary<string, string> headers, string text)
    {
        Status = status;
        this.headers = headers;
        Text = text;
        Json = text.StartsWith('{') ? JsonNode.Parse(text)!.AsObject() : [];
    }

    public int Status { get; }

    /// <summary>The body as it came.</summary>
    public string Text { get; }

    /// <summary>The body; an empty object where it is none.</summary>
    public JsonObject Json { get; }

    public JsonObject Data => Json["data"]!.AsObject();

    public JsonObject Meta => Json["meta"]!.AsObject();

    public JsonObject Attributes => Data["attributes"]!.AsObject();

    public string Id => Data["id"]!.GetValue<string>();

    public string ETag => Header("ETag") ?? throw new InvalidOperationException("There is no ETag.");

    /// <summary>The resources of a list.</summary>
    public IReadOnlyList<JsonObject> List => [.. Json["data"]!.AsArray().Select(item => item!.AsObject())];

    /// <summary>The ids of a list, in order.</summary>
    public IReadOnlyList<string> Ids => [.. List.Select(item => item["id"]!.GetValue<string>())];

    public string? NextCursor => (string?)Meta["pagination"]!["next_cursor"];

    public bool HasMore => (bool)Meta["pagination"]!["has_more"]!;

    public string Code => Json["error"]!["code"]!.GetValue<string>();

    public string Message => Json["error"]!["message"]!.GetValue<string>();

    /// <summary>The fields an error names.</summary>
    public IReadOnlyList<string> Fields => [.. (Json["error"]!["details"]?.AsArray() ?? []).Select(detail => detail!["field"]!.GetValue<string>())];

    public static async Task<Answer> Read(HttpResponseMessage response) => new(
        (int)response.StatusCode,
        response.Headers.Concat(response.Content.Headers).ToDictionary(h => h.Key, h => string.Join(", ", h.Value), StringComparer.OrdinalIgnoreCase),
        await response.Content.ReadAsStringAsync());

    /// <summary>The value of a header; null where there is none.</summary>
    public string? Header(string name) => headers.GetValueOrDefault(name);

    /// <summary>An attribute as compact JSON, e.g. <c>"Jane"</c> or <c>null</c>.</summary>
    public string this[string attribute] =>
        Attributes.TryGetPropertyValue(attribute, out var value) ? value.Compact() : throw new KeyNotFoundException($"no attribute {attribute} in {Text}");

    public Answer Is(int status)
    {
        Assert.True(Status == status, $"Expected {status}, got {Status}: {Text}");
        return this;
    }

    /// <summary>Is this error, in the envelope of errors, naming exactly these fields (where any are given).</summary>
    public Answer IsError(int status, string code, params string[] fields)
    {
        Is(status);
        Assert.True(Code == code, $"Expected {code}: {Text}");
        Assert.NotEmpty(Message);
        Assert.Equal(Header("X-Request-Id"), (string?)Meta["request_id"]);
        if (fields.Length > 0) Assert.Equal(fields.Order(StringComparer.Ordinal), Fields.Order(StringComparer.Ordinal));
        return this;
    }

    /// <summary>Is 400 VALIDATION_ERROR, naming exactly these fields (where any are given).</summary>
    public Answer IsInvalid(params string[] fields) => IsError(400, "VALIDATION_ERROR", fields);
}

internal static class Nodes
{
    private static readonly JsonSerializerOptions AsIs = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Compact(this JsonNode? node) => node?.ToJsonString(AsIs) ?? "null";

    /// <summary>An attribute of a resource as compact JSON.</summary>
    public static string Attribute(this JsonObject resource, string name) => resource["attributes"]![name].Compact();
}
