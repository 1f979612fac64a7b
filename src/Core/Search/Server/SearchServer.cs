using System.Buffers;
using System.Text;
using System.Text.Json;
using Meilisearch;
using Meilisearch.QueryParameters;
using NodeStash.Core.Records;
using Index = Meilisearch.Index;
using ServerQuery = Meilisearch.SearchQuery;

namespace NodeStash.Core.Search.Server;

/// <summary>The server: two indexes that all data sets share, made and set as they are to be before first used. Whatever goes wrong is a <see cref="SearchUnavailableException"/>.</summary>
/// <param name="client">Reaches it.</param>
/// <param name="prefix">Begins the names of the indexes.</param>
internal sealed class SearchServer(MeilisearchClient client, string prefix) : IDisposable
{
    private const string SettingsKey = "settings";
    private const double LongestTask = 120_000;
    private const int PollMilliseconds = 20;
    private static readonly TimeSpan LongestAnswer = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestSign = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim preparing = new(1);
    private bool isPrepared;
    private bool isLost;

    private Index Records => client.Index($"{prefix}-records");

    private Index DataSets => client.Index($"{prefix}-datasets");

    public Task Check(CancellationToken ct) => Ask(client.HealthAsync, ct, LongestSign);

    public Task<ISearchable<JsonElement>> Search(string text, ServerQuery query, CancellationToken ct) => Prepared(token => Records.SearchAsync<JsonElement>(text, query, token), ct);

    /// <summary>The documents with these keys, in no order.</summary>
    public async Task<IReadOnlyList<JsonElement>> Find(IReadOnlyCollection<string> keys, IEnumerable<string> fields, CancellationToken ct)
    {
        var query = new DocumentsQuery { Filter = Filter.In(ServerSettings.Key, keys), Fields = [.. fields], Limit = keys.Count };
        return [.. (await Prepared(token => Records.GetDocumentsAsync<JsonElement>(query, token), ct)).Results];
    }

    /// <summary>Each in place of the one with its key.</summary>
    public Task Put(ReadOnlyMemory<byte> documents, CancellationToken ct) => Carry(token => Records.AddDocumentsJsonAsync(Encoding.UTF8.GetString(documents.Span), ServerSettings.Key, token), ct);

    public Task Delete(string filter, CancellationToken ct) => Carry(token => Records.DeleteDocumentsAsync(new DeleteDocumentsQuery { Filter = filter }, token), ct);

    /// <summary>What is noted of a data set; null where nothing is.</summary>
    public Task<JsonElement?> FindDataSet(string key, CancellationToken ct) => Prepared(token => Noted(key, token), ct);

    public Task PutDataSet(ReadOnlyMemory<byte> document, CancellationToken ct) => Carry(token => Note(document, token), ct);

    public void Dispose() => preparing.Dispose();

    private async Task Carry(Func<CancellationToken, Task<TaskInfo>> ask, CancellationToken ct) => await Done(await Prepared(ask, ct), ct);

    private async Task<T> Prepared<T>(Func<CancellationToken, Task<T>> ask, CancellationToken ct)
    {
        if (!Volatile.Read(ref isPrepared)) await Prepare(ct);
        return await Ask(ask, ct);
    }

    private async Task Prepare(CancellationToken ct)
    {
        await preparing.WaitAsync(ct);
        try
        {
            if (isPrepared) return;
            var version = (await Ask(token => Noted(SettingsKey, token), ct))?.GetProperty("version").GetString();
            if (version != ServerSettings.Version || Volatile.Read(ref isLost))
            {
                foreach (var index in new[] { DataSets, Records }) await Done(await Ask(token => client.CreateIndexAsync(index.Uid, ServerSettings.Key, token), ct), ct);
                await Done(await Ask(token => Records.UpdateFilterableAttributesAsync(ServerSettings.Filterable, token), ct), ct);
                await Done(await Ask(token => Records.UpdateSettingsAsync(ServerSettings.Current, token), ct), ct);
                var noted = JsonForm.Object(writer =>
                {
                    writer.WriteString(ServerSettings.Key, SettingsKey);
                    writer.WriteString("version"u8, ServerSettings.Version);
                });
                await Done(await Ask(token => Note(noted, token), ct), ct);
            }

            Volatile.Write(ref isLost, false);
            Volatile.Write(ref isPrepared, true);
        }
        finally
        {
            preparing.Release();
        }
    }

    private async Task<JsonElement?> Noted(string key, CancellationToken ct)
    {
        try
        {
            return await DataSets.GetDocumentAsync<JsonElement>(key, cancellationToken: ct);
        }
        catch (MeilisearchApiError e) when (e.Code is "document_not_found" || (e.Code is "index_not_found" && key == SettingsKey))
        {
            return null;
        }
    }

    private Task<TaskInfo> Note(ReadOnlyMemory<byte> document, CancellationToken ct) => DataSets.AddDocumentsJsonAsync($"[{Encoding.UTF8.GetString(document.Span)}]", ServerSettings.Key, ct);

    /// <summary>Waits for a task: what it was to do is on the server's disk when this returns.</summary>
    private async Task Done(TaskInfo task, CancellationToken ct)
    {
        var ended = await Ask(token => client.WaitForTaskAsync(task.TaskUid, LongestTask, PollMilliseconds, token), ct, TimeSpan.FromMilliseconds(LongestTask) + LongestAnswer);
        if (ended.Status is TaskInfoStatus.Succeeded) return;
        var code = ended.Error?.GetValueOrDefault("code");
        if (code != "index_already_exists") throw new SearchUnavailableException($"a task of the search server ended as {ended.Status}: {code}");
    }

    private async Task<T> Ask<T>(Func<CancellationToken, Task<T>> ask, CancellationToken ct, TimeSpan? most = null)
    {
        using var bounded = CancellationTokenSource.CreateLinkedTokenSource(ct);
        bounded.CancelAfter(most ?? LongestAnswer);
        try
        {
            return await ask(bounded.Token);
        }
        catch (Exception e) when (e is MeilisearchCommunicationError or MeilisearchTimeoutError or MeilisearchApiError or JsonException or IOException || (e is OperationCanceledException && !ct.IsCancellationRequested))
        {
            // An index that is gone is made again before the next request.
            if (e is MeilisearchApiError { Code: "index_not_found" })
            {
                Volatile.Write(ref isLost, true);
                Volatile.Write(ref isPrepared, false);
            }

            throw new SearchUnavailableException("the search server does not answer as it should", e);
        }
    }
}

/// <summary>Expressions that the server filters by. What is compared is made of hexadecimal digits, never of what users write.</summary>
internal static class Filter
{
    private static readonly SearchValues<char> Hexadecimal = SearchValues.Create("0123456789abcdef");

    public static string Is(string attribute, string value) => $"{attribute} = {Quoted(value)}";

    public static string In(string attribute, IEnumerable<string> values) => $"{attribute} IN [{string.Join(',', values.Select(Quoted))}]";

    private static string Quoted(string value) => value.AsSpan().ContainsAnyExcept(Hexadecimal) ? throw new ArgumentException("Not hexadecimal", nameof(value)) : $"\"{value}\"";
}
