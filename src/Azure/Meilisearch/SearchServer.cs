using System.Buffers;
using System.Text;
using System.Text.Json;
using Meilisearch;
using Meilisearch.QueryParameters;
using NodeStash.Core.Search;
using NodeStash.Core.Values;
using Index = Meilisearch.Index;
using ServerQuery = Meilisearch.SearchQuery;

namespace NodeStash.Azure.Meilisearch;

/// <summary>
/// Calls the search server. All partitions share two indexes, which are created and configured before their first use. Every failure is a
/// <see cref="SearchUnavailableException"/>.
/// </summary>
/// <param name="client">The client of the server.</param>
/// <param name="prefix">The prefix of the index names.</param>
internal sealed class SearchServer(MeilisearchClient client, string prefix) : IDisposable
{
    private const string SettingsKey = "settings";
    private const int StatePageSize = 1000;
    private const double MaxTaskMilliseconds = 120_000;
    private const int PollMilliseconds = 20;
    private static readonly TimeSpan MaxAnswerTime = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan MaxProbeTime = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim preparing = new(1);
    private bool isPrepared;
    private bool isLost;

    private Index Records => client.Index($"{prefix}-records");

    private Index Partitions => client.Index($"{prefix}-datasets");

    /// <summary>
    /// Checks that the server can answer searches now. Does not prepare a server that is new or has lost its indexes; writes and searches do that.
    /// </summary>
    public async Task Check(CancellationToken ct)
    {
        await Call(client.HealthAsync, ct, MaxProbeTime);
        if (!IsComplete(await Call(token => FindState(SettingsKey, token), ct, MaxProbeTime))) throw NotComplete;
    }

    public Task<ISearchable<JsonElement>> Search(string text, ServerQuery query, CancellationToken ct) =>
        RunPrepared(token => Records.SearchAsync<JsonElement>(text, query, token), ct);

    /// <summary>Finds the documents with these keys, in any order.</summary>
    public async Task<IReadOnlyList<JsonElement>> Find(IReadOnlyCollection<string> keys, IEnumerable<string> fields, CancellationToken ct)
    {
        var query = new DocumentsQuery { Filter = Filter.In(ServerSettings.Key, keys), Fields = [.. fields], Limit = keys.Count };
        return [.. (await RunPrepared(token => Records.GetDocumentsAsync<JsonElement>(query, token), ct)).Results];
    }

    /// <summary>Adds documents, or replaces those with the same keys.</summary>
    public Task Put(ReadOnlyMemory<byte> documents, CancellationToken ct) =>
        RunTask(token => Records.AddDocumentsJsonAsync(Encoding.UTF8.GetString(documents.Span), ServerSettings.Key, token), ct);

    public Task Delete(string filter, CancellationToken ct) =>
        RunTask(token => Records.DeleteDocumentsAsync(new DeleteDocumentsQuery { Filter = filter }, token), ct);

    /// <summary>Reads the state of a partition; null for none.</summary>
    public Task<JsonElement?> FindPartition(string key, CancellationToken ct) => RunPrepared(token => FindState(key, token), ct);

    /// <summary>Reads the states of all partitions.</summary>
    public async Task<IReadOnlyList<JsonElement>> AllPartitions(CancellationToken ct)
    {
        var all = new List<JsonElement>();
        while (true)
        {
            var query = new DocumentsQuery { Offset = all.Count, Limit = StatePageSize };
            var page = (await RunPrepared(token => Partitions.GetDocumentsAsync<JsonElement>(query, token), ct)).Results.ToList();
            all.AddRange(page);
            if (page.Count < StatePageSize) return [.. all.Where(state => state.GetProperty(ServerSettings.Key).GetString() != SettingsKey)];
        }
    }

    /// <summary>
    /// Whether the server knows every partition (<see cref="ISearchIndexes.Complete"/>). Never cached, because another process may find that the server has
    /// lost its indexes.
    /// </summary>
    public async Task<bool> IsComplete(CancellationToken ct) => IsComplete(await RunPrepared(token => FindState(SettingsKey, token), ct));

    public async Task Complete(CancellationToken ct)
    {
        if (!await IsComplete(ct)) await RunTask(token => PutState(Settings(isComplete: true), token), ct);
    }

    public Task PutPartition(ReadOnlyMemory<byte> document, CancellationToken ct) => RunTask(token => PutState(document, token), ct);

    public static SearchUnavailableException NotComplete =>
        new("the search server is new or has lost its indexes; they are being rebuilt, retry later") { IsBeingMade = true };

    public void Dispose() => preparing.Dispose();

    private async Task RunTask(Func<CancellationToken, Task<TaskInfo>> call, CancellationToken ct) => await WaitForTask(await RunPrepared(call, ct), ct);

    private async Task<T> RunPrepared<T>(Func<CancellationToken, Task<T>> call, CancellationToken ct)
    {
        if (!Volatile.Read(ref isPrepared)) await Prepare(ct);
        return await Call(call, ct);
    }

    private async Task Prepare(CancellationToken ct)
    {
        await preparing.WaitAsync(ct);
        try
        {
            if (isPrepared) return;
            var state = await Call(token => FindState(SettingsKey, token), ct);
            if (state?.GetProperty("version").GetString() != ServerSettings.Version || Volatile.Read(ref isLost))
            {
                // States of lost indexes would make searches find nothing, so delete them.
                if (!await HasRecords(ct))
                {
                    state = null;
                    await WaitForTask(await Call(token => client.DeleteIndexAsync(Partitions.Uid, token), ct), ct, unless: "index_not_found");
                }

                foreach (var index in new[] { Partitions, Records })
                {
                    var creation = await Call(token => client.CreateIndexAsync(index.Uid, ServerSettings.Key, token), ct);
                    await WaitForTask(creation, ct, unless: "index_already_exists");
                }

                await WaitForTask(await Call(token => Records.UpdateFilterableAttributesAsync(ServerSettings.Filterable, token), ct), ct);
                await WaitForTask(await Call(token => Records.UpdateSettingsAsync(ServerSettings.Current, token), ct), ct);
                await WaitForTask(await Call(token => PutState(Settings(IsComplete(state)), token), ct), ct);
            }

            Volatile.Write(ref isLost, false);
            Volatile.Write(ref isPrepared, true);
        }
        finally
        {
            preparing.Release();
        }
    }

    private Task<bool> HasRecords(CancellationToken ct) => Call(
        async token =>
        {
            try
            {
                await Records.GetDocumentsAsync<JsonElement>(new DocumentsQuery { Limit = 1 }, token);
                return true;
            }
            catch (MeilisearchApiError e) when (e.Code is "index_not_found")
            {
                return false;
            }
        },
        ct);

    private static bool IsComplete(JsonElement? settings) =>
        settings is { } state && state.TryGetProperty("complete", out var complete) && complete.GetBoolean();

    private static ReadOnlyMemory<byte> Settings(bool isComplete) => JsonForm.Object(writer =>
    {
        writer.WriteString(ServerSettings.Key, SettingsKey);
        writer.WriteString("version"u8, ServerSettings.Version);
        writer.WriteBoolean("complete"u8, isComplete);
    });

    private async Task<JsonElement?> FindState(string key, CancellationToken ct)
    {
        try
        {
            return await Partitions.GetDocumentAsync<JsonElement>(key, cancellationToken: ct);
        }
        catch (MeilisearchApiError e) when (e.Code is "document_not_found" || (e.Code is "index_not_found" && key == SettingsKey))
        {
            return null;
        }
    }

    private Task<TaskInfo> PutState(ReadOnlyMemory<byte> document, CancellationToken ct) =>
        Partitions.AddDocumentsJsonAsync($"[{Encoding.UTF8.GetString(document.Span)}]", ServerSettings.Key, ct);

    /// <summary>Waits for a task of the server. Its changes are on the server's disk when this returns.</summary>
    /// <param name="task">The task.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <param name="unless">The error code to ignore.</param>
    private async Task WaitForTask(TaskInfo task, CancellationToken ct, string? unless = null)
    {
        var ended = await Call(token => client.WaitForTaskAsync(task.TaskUid, MaxTaskMilliseconds, PollMilliseconds, token), ct,
            TimeSpan.FromMilliseconds(MaxTaskMilliseconds) + MaxAnswerTime);
        if (ended.Status is TaskInfoStatus.Succeeded) return;
        var code = ended.Error?.GetValueOrDefault("code");
        if (unless is null || code != unless)
            throw new SearchUnavailableException($"a task of the search server ended as {ended.Status} with error {code}; see the log of the server");
    }

    private async Task<T> Call<T>(Func<CancellationToken, Task<T>> call, CancellationToken ct, TimeSpan? max = null)
    {
        using var bounded = CancellationTokenSource.CreateLinkedTokenSource(ct);
        bounded.CancelAfter(max ?? MaxAnswerTime);
        try
        {
            return await call(bounded.Token);
        }
        catch (Exception e) when (e is MeilisearchCommunicationError or MeilisearchTimeoutError or MeilisearchApiError or JsonException or IOException
            || (e is OperationCanceledException && !ct.IsCancellationRequested))
        {
            // A lost index is created again before the next request.
            if (e is MeilisearchApiError { Code: "index_not_found" })
            {
                Volatile.Write(ref isLost, true);
                Volatile.Write(ref isPrepared, false);
            }

            throw new SearchUnavailableException("the search server failed or does not respond; check SEARCH_URL, SEARCH_KEY and the log of the server", e);
        }
    }
}

/// <summary>Builds filter expressions for the server. Values are hexadecimal digits, never text of users.</summary>
internal static class Filter
{
    private static readonly SearchValues<char> Hexadecimal = SearchValues.Create("0123456789abcdef");

    public static string Is(string attribute, string value) => $"{attribute} = {Quoted(value)}";

    public static string In(string attribute, IEnumerable<string> values) => $"{attribute} IN [{string.Join(',', values.Select(Quoted))}]";

    private static string Quoted(string value) =>
        value.AsSpan().ContainsAnyExcept(Hexadecimal) ? throw new ArgumentException("Not hexadecimal", nameof(value)) : $"\"{value}\"";
}
