using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace NodeStash.Support.Http;

/// <summary>Calls the API with one key.</summary>
public sealed class CrmClient : IDisposable
{
    private readonly HttpClient http;

    public CrmClient(Uri address, string key)
    {
        http = new HttpClient(new SocketsHttpHandler()) { BaseAddress = new Uri(address, "/v1/") };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }

    /// <param name="key">The Idempotency-Key; null for none.</param>
    public Task<HttpResponseMessage> Send(HttpMethod method, string path, object? body = null, string? key = null)
    {
        var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        if (key is not null) request.Headers.Add("Idempotency-Key", key);
        return http.SendAsync(request);
    }

    /// <summary>The attributes of the resource made.</summary>
    public Task<JsonElement> Create(string path, object body) => Attributes(HttpMethod.Post, path, body, HttpStatusCode.Created);

    /// <summary>The attributes of the resource as it is now.</summary>
    public Task<JsonElement> Update(string path, object body) => Attributes(HttpMethod.Patch, path, body, HttpStatusCode.OK);

    public Task<JsonElement> Get(string path) => Attributes(HttpMethod.Get, path, null, HttpStatusCode.OK);

    public async Task Delete(string path)
    {
        using var answer = await Send(HttpMethod.Delete, path);
        if (answer.StatusCode is not HttpStatusCode.NoContent) throw new InvalidOperationException($"DELETE {path}: {(int)answer.StatusCode}");
    }

    /// <summary>Makes an endpoint for these events (none: all).</summary>
    public async Task<Endpoint> Subscribe(Uri address, params string[] events)
    {
        var made = await Create("webhooks", new { url = address.ToString(), events = events is [] ? ["*"] : events });
        return new Endpoint(made.GetProperty("id").GetString()!, made.GetProperty("secret").GetString()!);
    }

    public async Task<string> CreateContact(string email) => (await Create("contacts", new { email })).GetProperty("id").GetString()!;

    public void Dispose() => http.Dispose();

    private async Task<JsonElement> Attributes(HttpMethod method, string path, object? body, HttpStatusCode expected)
    {
        using var answer = await Send(method, path, body);
        var text = await answer.Content.ReadAsStringAsync();
        if (answer.StatusCode != expected) throw new InvalidOperationException($"{method} {path}: {(int)answer.StatusCode} {text}");
        return JsonElement.Parse(text).GetProperty("data").GetProperty("attributes");
    }
}

/// <param name="Id"><c>wh_…</c></param>
/// <param name="Secret"><c>whsec_…</c></param>
public sealed record Endpoint(string Id, string Secret);
