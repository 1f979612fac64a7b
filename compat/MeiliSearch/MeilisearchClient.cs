using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Meilisearch;

/// <summary>A Meilisearch server, by its REST API.</summary>
public class MeilisearchClient
{
    internal static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    private readonly HttpClient http;

    public MeilisearchClient(string url, string? apiKey = default)
        : this(new HttpClient(new MeilisearchMessageHandler(new HttpClientHandler())) { BaseAddress = new Uri(url.EndsWith('/') ? url : url + "/") }, apiKey)
    {
    }

    public MeilisearchClient(HttpClient client, string? apiKey = default)
    {
        http = client;
        ApiKey = apiKey;
        if (apiKey is not null) http.DefaultRequestHeaders.Authorization = new("Bearer", apiKey);
    }

    public string? ApiKey { get; }

    public Index Index(string uid) => new(this, uid);

    public Task<TaskInfo> CreateIndexAsync(string uid, string? primaryKey = default, CancellationToken cancellationToken = default) =>
        Send<TaskInfo>(HttpMethod.Post, "indexes", Content(new { uid, primaryKey }), cancellationToken);

    public Task<TaskInfo> DeleteIndexAsync(string uid, CancellationToken cancellationToken = default) =>
        Send<TaskInfo>(HttpMethod.Delete, $"indexes/{uid}", null, cancellationToken);

    public Task<MeiliSearchHealth> HealthAsync(CancellationToken cancellationToken = default) =>
        Send<MeiliSearchHealth>(HttpMethod.Get, "health", null, cancellationToken);

    public Task<TaskResource> GetTaskAsync(int taskUid, CancellationToken cancellationToken = default) =>
        Send<TaskResource>(HttpMethod.Get, string.Create(CultureInfo.InvariantCulture, $"tasks/{taskUid}"), null, cancellationToken);

    /// <summary>Waits until a task has come to its end, whichever that is.</summary>
    /// <exception cref="MeilisearchTimeoutError">It has not within the time.</exception>
    public async Task<TaskResource> WaitForTaskAsync(int taskUid, double timeoutMs = 5000, int intervalMs = 50, CancellationToken cancellationToken = default)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(start).TotalMilliseconds < timeoutMs)
        {
            var task = await GetTaskAsync(taskUid, cancellationToken);
            if (task.Status is not (TaskInfoStatus.Enqueued or TaskInfoStatus.Processing)) return task;
            await Task.Delay(intervalMs, cancellationToken);
        }

        throw new MeilisearchTimeoutError($"The task {taskUid.ToString(CultureInfo.InvariantCulture)} timed out.");
    }

    internal static HttpContent Content(object body) => JsonContent.Create(body, body.GetType(), options: Json);

    internal static HttpContent Raw(string json) => new StringContent(json, Encoding.UTF8, "application/json");

    internal async Task<T> Send<T>(HttpMethod method, string path, HttpContent? content, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative)) { Content = content };
        using var response = await http.SendAsync(request, ct);
        return (await response.Content.ReadFromJsonAsync<T>(Json, ct))!;
    }
}

/// <summary>Turns what fails into the exceptions of this package.</summary>
public class MeilisearchMessageHandler(HttpMessageHandler innerHandler) : DelegatingHandler(innerHandler)
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            var response = await base.SendAsync(request, cancellationToken);
            if (response.IsSuccessStatusCode) return response;
            using (response)
            {
                if (response.Content.Headers.ContentLength == 0) throw new MeilisearchApiError(response.StatusCode, response.ReasonPhrase);
                throw new MeilisearchApiError(
                    (await response.Content.ReadFromJsonAsync<MeilisearchApiErrorContent>(MeilisearchClient.Json, cancellationToken))!);
            }
        }
        catch (HttpRequestException e)
        {
            throw new MeilisearchCommunicationError("CommunicationError", e);
        }
    }
}

public class MeiliSearchHealth
{
    public string Status { get; set; } = "";
}
