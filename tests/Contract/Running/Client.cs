using System.Globalization;
using System.Text;
using System.Text.Json;

namespace NodeStash.Contract.Tests.Running;

/// <summary>Calls the API with one credential.</summary>
/// <param name="address">The root of the deployment.</param>
/// <param name="authorization">The Authorization header; null for none.</param>
public sealed class Client(Uri address, string? authorization)
{
    private const string Json = "application/json";
    private static readonly HttpClient Http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });

    public static Client Of(Uri address, string key) => new(address, $"Bearer {key}");

    public Client WithKey(string key) => Of(address, key);

    public Client WithAuthorization(string? header) => new(address, header);

    public Task<Answer> Get(string path, params (string Name, string Value)[] headers) => Send("GET", path, null, headers);

    public Task<Answer> Post(string path, object? body, params (string Name, string Value)[] headers) => Send("POST", path, body, headers);

    public Task<Answer> Patch(string path, object? body, params (string Name, string Value)[] headers) => Send("PATCH", path, body, headers);

    public Task<Answer> Put(string path, object? body, params (string Name, string Value)[] headers) => Send("PUT", path, body, headers);

    public Task<Answer> Delete(string path, params (string Name, string Value)[] headers) => Send("DELETE", path, null, headers);

    /// <summary>Every page of a list, up to the last.</summary>
    public async Task<IReadOnlyList<Answer>> Pages(string path)
    {
        var pages = new List<Answer> { (await Get(path)).Is(200) };
        while (pages[^1].NextCursor is { } cursor) pages.Add((await Get($"{path}&cursor={cursor}")).Is(200));
        return pages;
    }

    /// <param name="method">Any.</param>
    /// <param name="path">Below <c>/v1/</c>, with its query.</param>
    /// <param name="body">Text is sent as it is, bytes too, anything else as JSON; null for no body.</param>
    /// <param name="headers">Beside Authorization; a Content-Type replaces that of JSON.</param>
    public async Task<Answer> Send(string method, string path, object? body, params (string Name, string Value)[] headers)
    {
        while (true)
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(address, "v1/" + path));
            if (authorization is not null) request.Headers.TryAddWithoutValidation("Authorization", authorization);
            if (body is not null)
            {
                request.Content = new ByteArrayContent(body switch
                {
                    byte[] bytes => bytes,
                    string text => Encoding.UTF8.GetBytes(text),
                    _ => JsonSerializer.SerializeToUtf8Bytes(body),
                });
                request.Content.Headers.TryAddWithoutValidation("Content-Type", headers.FirstOrDefault(h => h.Name is "Content-Type").Value ?? Json);
            }

            foreach (var (name, value) in headers.Where(h => h.Name is not "Content-Type")) request.Headers.TryAddWithoutValidation(name, value);
            using var response = await Http.SendAsync(request);
            var answer = await Answer.Read(response);
            if (answer.Status != 429) return answer;
            await Task.Delay(TimeSpan.FromSeconds(int.Parse(answer.Header("Retry-After") ?? "1", CultureInfo.InvariantCulture)), TimeProvider.System);
        }
    }
}
