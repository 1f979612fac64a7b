using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace NodeStash.Support.Running;

/// <summary>A caller of the API with one credential.</summary>
/// <param name="address">Where it is.</param>
/// <param name="key">The secret; null for none.</param>
public sealed class Api(Uri address, string? key)
{
    private static readonly HttpClient Http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });

    /// <summary>The secret it calls with.</summary>
    public string Key => key ?? throw new InvalidOperationException("This caller has no credential.");

    public Api With(string? otherKey) => new(address, otherKey);

    public Task<Reply> Get(string path, params (string Name, string Value)[] headers) => Send(HttpMethod.Get, path, null, headers);

    public Task<Reply> Post(string path, object body, params (string Name, string Value)[] headers) => Send(HttpMethod.Post, path, body, headers);

    public Task<Reply> Patch(string path, object body, params (string Name, string Value)[] headers) => Send(HttpMethod.Patch, path, body, headers);

    public Task<Reply> Put(string path, object body, params (string Name, string Value)[] headers) => Send(HttpMethod.Put, path, body, headers);

    public Task<Reply> Delete(string path, params (string Name, string Value)[] headers) => Send(HttpMethod.Delete, path, null, headers);

    /// <summary>Creates a record below <c>/v1</c>, which must succeed.</summary>
    public async Task<Reply> Create(string collection, object body) => (await Post($"/v1/{collection}", body)).Is(201);

    /// <summary>A caller in the same workspace whose new key has these scopes, in this environment.</summary>
    public async Task<Api> WithScopes(string[] scopes, string environment = "live") =>
        With((await Create("api-keys", new { name = "Narrow", scopes, environment })).Text("secret"));

    /// <summary>A caller of the same workspace's test data.</summary>
    public Task<Api> InTest() => WithScopes(["*"], "test");

    /// <summary>Every page of a list, up to the last.</summary>
    public async Task<IReadOnlyList<Reply>> Pages(string path)
    {
        var pages = new List<Reply>();
        for (string? cursor = null; pages.Count == 0 || cursor is not null; cursor = pages[^1].NextCursor)
            pages.Add((await Get(cursor is null ? path : $"{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}cursor={cursor}")).Is(200));
        return pages;
    }

    /// <param name="method">The method.</param>
    /// <param name="path">With its query.</param>
    /// <param name="body">Text and bytes are sent as they are, anything else as JSON; null for no body.</param>
    /// <param name="headers">Beside Authorization; a Content-Type replaces the one for JSON.</param>
    public async Task<Reply> Send(HttpMethod method, string path, object? body, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, new Uri(address, path));
        if (key is not null) request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {key}");
        if (body is HttpContent content) request.Content = content;
        else if (body is not null)
        {
            request.Content = new ByteArrayContent(body switch
            {
                byte[] bytes => bytes,
                string text => Encoding.UTF8.GetBytes(text),
                _ => JsonSerializer.SerializeToUtf8Bytes(body),
            });
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }

        foreach (var (name, value) in headers)
        {
            if (name is not ("Content-Type" or "Content-Encoding"))
            {
                request.Headers.Remove(name);
                request.Headers.TryAddWithoutValidation(name, value);
            }
            else
            {
                request.Content!.Headers.Remove(name);
                request.Content.Headers.TryAddWithoutValidation(name, value);
            }
        }

        using var response = await Http.SendAsync(request);
        var reply = await Reply.Read(response);
        Declared.Check(method, request.RequestUri!.AbsolutePath, reply);
        return reply;
    }
}
