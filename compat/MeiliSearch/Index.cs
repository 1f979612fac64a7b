using System.Text.Json;
using System.Text.Json.Nodes;
using Meilisearch.QueryParameters;

namespace Meilisearch;

/// <summary>An index of a server.</summary>
public class Index
{
    private readonly MeilisearchClient client;

    internal Index(MeilisearchClient client, string uid) => (this.client, Uid) = (client, uid);

    public string Uid { get; }

    private string Path => $"indexes/{Uri.EscapeDataString(Uid)}";

    public Task<TaskInfo> UpdateSettingsAsync(Settings settings, CancellationToken cancellationToken = default) =>
        client.Send<TaskInfo>(HttpMethod.Patch, $"{Path}/settings", MeilisearchClient.Content(settings), cancellationToken);

    public Task<TaskInfo> UpdateFilterableAttributesAsync(IEnumerable<string> filterableAttributes, CancellationToken cancellationToken = default) =>
        client.Send<TaskInfo>(HttpMethod.Put, $"{Path}/settings/filterable-attributes", MeilisearchClient.Content(filterableAttributes), cancellationToken);

    /// <summary>Adds documents, each in place of the one with its key.</summary>
    public Task<TaskInfo> AddDocumentsJsonAsync(string documents, string? primaryKey = default, CancellationToken cancellationToken = default) =>
        client.Send<TaskInfo>(HttpMethod.Post, $"{Path}/documents{(primaryKey is null ? "" : $"?primaryKey={Uri.EscapeDataString(primaryKey)}")}",
            MeilisearchClient.Raw(documents), cancellationToken);

    public Task<T> GetDocumentAsync<T>(string documentId, List<string>? fields = default, CancellationToken cancellationToken = default) =>
        client.Send<T>(HttpMethod.Get,
            $"{Path}/documents/{Uri.EscapeDataString(documentId)}{(fields is null ? "" : $"?fields={Uri.EscapeDataString(string.Join(',', fields))}")}", null,
            cancellationToken);

    public async Task<ResourceResults<IEnumerable<T>>> GetDocumentsAsync<T>(DocumentsQuery? query = default, CancellationToken cancellationToken = default)
    {
        var found = await client.Send<JsonElement>(
            HttpMethod.Post, $"{Path}/documents/fetch", MeilisearchClient.Content(query ?? new DocumentsQuery()), cancellationToken);
        return new ResourceResults<IEnumerable<T>>(
            found.GetProperty("results").Deserialize<List<T>>(MeilisearchClient.Json)!, found.GetProperty("limit").GetInt32(),
            found.GetProperty("offset").GetInt32(), found.GetProperty("total").GetInt32());
    }

    public Task<TaskInfo> DeleteDocumentsAsync(DeleteDocumentsQuery query, CancellationToken cancellationToken = default) =>
        client.Send<TaskInfo>(HttpMethod.Post, $"{Path}/documents/delete", MeilisearchClient.Content(query), cancellationToken);

    /// <summary>A <see cref="PaginatedSearchResult{T}"/> where the query has pages, else a <see cref="SearchResult{T}"/>.</summary>
    public async Task<ISearchable<T>> SearchAsync<T>(string query, SearchQuery? searchAttributes = default, CancellationToken cancellationToken = default)
    {
        var body = (JsonObject)JsonSerializer.SerializeToNode(searchAttributes ?? new SearchQuery(), MeilisearchClient.Json)!;
        body["q"] = query;
        var found = await client.Send<JsonElement>(HttpMethod.Post, $"{Path}/search", MeilisearchClient.Raw(body.ToJsonString()), cancellationToken);
        var hits = found.GetProperty("hits").Deserialize<List<T>>(MeilisearchClient.Json)!;
        return found.TryGetProperty("totalHits", out var total)
            ? new PaginatedSearchResult<T>(hits, total.GetInt32())
            : new SearchResult<T>(hits, found.GetProperty("estimatedTotalHits").GetInt32());
    }
}
