using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace NodeStash.LocalHost.Demo;

/// <summary>Calls the API over HTTP, as a user's program does.</summary>
internal sealed class Client : IDisposable
{
    private readonly HttpClient http;

    /// <param name="address">The address of the server.</param>
    /// <param name="apiKey">The key; null to call without one.</param>
    public Client(Uri address, string? apiKey)
    {
        http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = address, Timeout = TimeSpan.FromSeconds(20) };
        if (apiKey is not null) http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", apiKey);
    }

    /// <summary>Number of requests sent.</summary>
    public int Requests { get; private set; }

    /// <param name="body">Sent as JSON; null for none.</param>
    /// <exception cref="DemoFailedException">The server did not answer, or not with JSON.</exception>
    public async Task<Reply> Send(HttpMethod method, string path, object? body, CancellationToken ct)
    {
        Requests++;
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        try
        {
            using var response = await http.SendAsync(request, ct);
            var json = await response.Content.ReadAsByteArrayAsync(ct);
            return new Reply(response.StatusCode, json.Length == 0 ? default : JsonElement.Parse(json), response.Headers.ETag?.Tag.Trim('"'));
        }
        catch (Exception e) when (e is HttpRequestException or JsonException || (e is TaskCanceledException && !ct.IsCancellationRequested))
        {
            throw new DemoFailedException($"{method} {http.BaseAddress}{path.TrimStart('/')} was not answered as it should: {e.Message}", e);
        }
    }

    public void Dispose() => http.Dispose();
}

/// <summary>Response of the API.</summary>
/// <param name="Status">The status code.</param>
/// <param name="Json">The body; undefined if it is empty.</param>
/// <param name="Version">The version of the record, from the ETag; null for none.</param>
internal sealed record Reply(HttpStatusCode Status, JsonElement Json, string? Version)
{
    /// <summary>Id of the resource; null if the body is not a resource.</summary>
    public string? Id => Status is HttpStatusCode.OK or HttpStatusCode.Created && Data.ValueKind is JsonValueKind.Object ? Data.Member("id").GetString() : null;

    /// <summary>Ids of a list.</summary>
    public IReadOnlyList<string> ListedIds => [.. Data.EnumerateArray().Select(one => one.Member("id").GetString()!)];

    /// <summary>Attributes of the resource.</summary>
    public JsonElement Attributes => Data.Member("attributes");

    private JsonElement Data => Json.Member("data");

    /// <summary>Reads an attribute of the resource.</summary>
    public JsonElement this[string name] => Attributes.Member(name);
}

internal static class JsonMembers
{
    /// <exception cref="DemoFailedException">The member is missing.</exception>
    public static JsonElement Member(this JsonElement json, string name) =>
        json.ValueKind is JsonValueKind.Object && json.TryGetProperty(name, out var member)
            ? member
            : throw new DemoFailedException($"'{name}' is missing in {json}");
}

/// <summary>The demo can't continue. The message is one line with the reason.</summary>
internal sealed class DemoFailedException(string message, Exception? inner = null) : Exception(message, inner);
