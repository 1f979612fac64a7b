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
/// The server: two indexes that all partitions share, made and set as they are to be before first used. Whatever goes wrong is a
/// <see cref="SearchUnavailableException"/>.
/// </summary>
/// <param name="client">Reaches it.</param>
/// <param name="prefix">Begins the names of the indexes.</param>
internal sealed class SearchServer(MeilisearchClient client, string prefix) : IDisposable
{
    private const string SettingsKey = "settings";
    private const int NotesAtOnce = 1000;
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
    /// Answers if searches are answered now. A server that is new or has lost what it had is made ready by whoever has something to do there, not by
    /// whoever asks.
    /// </summary>
    public async Task Check(CancellationToken ct)
    {
        await Ask(client.HealthAsync, ct, MaxProbeTime);
        if (!IsComplete(await Ask(token => Noted(SettingsKey, token), ct, MaxProbeTime))) throw NotComplete;
    }

    public Task<ISearchable<JsonElement>> Search(string text, ServerQuery query, CancellationToken ct) =>
        Prepared(token => Records.SearchAsync<JsonElement>(text, query, token), ct);

    /// <summary>The documents with these keys, in no order.</summary>
    public async Task<IReadOnlyList<JsonElement>> Find(IReadOnlyCollection<string> keys, IEnumerable<string> fields, CancellationToken ct)
    {
        var query = new DocumentsQuery { Filter = Filter.In(ServerSettings.Key, keys), Fields = [.. fields], Limit = keys.Count };
        return [.. (await Prepared(token => Records.GetDocumentsAsync<JsonElement>(query, token), ct)).Results];
    }

    /// <summary>Each in place of the one with its key.</summary>
    public Task Put(ReadOnlyMemory<byte> documents, CancellationToken ct) =>
        RunTask(token => Records.AddDocumentsJsonAsync(Encoding.UTF8.GetString(documents.Span), ServerSettings.Key, token), ct);

    public Task Delete(string filter, CancellationToken ct) =>
        RunTask(token => Records.DeleteDocumentsAsync(new DeleteDocumentsQuery { Filter = filter }, token), ct);

    /// <summary>What is noted of a partition; null where nothing is.</summary>
    public Task<JsonElement?> FindPartition(string key, CancellationToken ct) => Prepared(token => Noted(key, token), ct);

    /// <summary>What is noted of all partitions.</summary>
    public async Task<IReadOnlyList<JsonElement>> AllPartitions(CancellationToken ct)
    {
        var all = new List<JsonElement>();
        while (true)
        {
            var query = new DocumentsQuery { Offset = all.Count, Limit = NotesAtOnce };
            var page = (await Prepared(token => Partitions.GetDocumentsAsync<JsonElement>(query, token), ct)).Results.ToList();
            all.AddRange(page);
            if (page.Count < NotesAtOnce) return [.. all.Where(note => note.GetProperty(ServerSettings.Key).GetString() != SettingsKey)];
        }
    }

    /// <summary>
    /// Whether the server knows every partition there is (<see cref="ISearchIndexes.Complete"/>). Asked anew each time: others may find that it has
    /// lost what it had.
    /// </summary>
    public async Task<bool> IsComplete(CancellationToken ct) => IsComplete(await Prepared(token => Noted(SettingsKey, token), ct));

    public async Task Complete(CancellationToken ct)
    {
        if (!await IsComplete(ct)) await RunTask(token => Note(Settings(isComplete: true), token), ct);
    }

    public Task PutPartition(ReadOnlyMemory<byte> document, CancellationToken ct) => RunTask(token => Note(document, token), ct);

    public static SearchUnavailableException NotComplete => new("the search server is new or has lost its indexes; they are built anew") { IsBeingMade = true };

    public void Dispose() => preparing.Dispose();

    private async Task RunTask(Func<CancellationToken, Task<TaskInfo>> ask, CancellationToken ct) => await Done(await Prepared(ask, ct), ct);

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
            var noted = await Ask(token => Noted(SettingsKey, token), ct);
            if (noted?.GetProperty("version").GetString() != ServerSettings.Version || Volatile.Read(ref isLost))
            {
                // Notes of what the server has lost would have it searched, and nothing found.
                if (!await HasRecords(ct))
                {
                    noted = null;
                    await Done(await Ask(token => client.DeleteIndexAsync(Partitions.Uid, token), ct), ct, unless: "index_not_found");
                }

                foreach (var index in new[] { Partitions, Records })
                    await Done(await Ask(token => client.CreateIndexAsync(index.Uid, ServerSettings.Key, token), ct), ct, unless: "index_already_exists");
                await Done(await Ask(token => Records.UpdateFilterableAttributesAsync(ServerSettings.Filterable, token), ct), ct);
                await Done(await Ask(token => Records.UpdateSettingsAsync(ServerSettings.Current, token), ct), ct);
                await Done(await Ask(token => Note(Settings(IsComplete(noted)), token), ct), ct);
            }

            Volatile.Write(ref isLost, false);
            Volatile.Write(ref isPrepared, true);
        }
        finally
        {
            preparing.Release();
        }
    }

    private Task<bool> HasRecords(CancellationToken ct) => Ask(
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
        settings is { } noted && noted.TryGetProperty("complete", out var complete) && complete.GetBoolean();

    private static ReadOnlyMemory<byte> Settings(bool isComplete) => JsonForm.Object(writer =>
    {
        writer.WriteString(ServerSettings.Key, SettingsKey);
        writer.WriteString("version"u8, ServerSettings.Version);
        writer.WriteBoolean("complete"u8, isComplete);
    });

    private async Task<JsonElement?> Noted(string key, CancellationToken ct)
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

    private Task<TaskInfo> Note(ReadOnlyMemory<byte> document, CancellationToken ct) =>
        Partitions.AddDocumentsJsonAsync($"[{Encoding.UTF8.GetString(document.Span)}]", ServerSettings.Key, ct);

    /// <summary>Waits for a task: what it was to do is on the server's disk when this returns.</summary>
    /// <param name="task">The task.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <param name="unless">The error that is none here.</param>
    private async Task Done(TaskInfo task, CancellationToken ct, string? unless = null)
    {
        var ended = await Ask(token => client.WaitForTaskAsync(task.TaskUid, MaxTaskMilliseconds, PollMilliseconds, token), ct,
            TimeSpan.FromMilliseconds(MaxTaskMilliseconds) + MaxAnswerTime);
        if (ended.Status is TaskInfoStatus.Succeeded) return;
        var code = ended.Error?.GetValueOrDefault("code");
        if (unless is null || code != unless) throw new SearchUnavailableException($"a task of the search server ended as {ended.Status}: {code}");
    }

    private async Task<T> Ask<T>(Func<CancellationToken, Task<T>> ask, CancellationToken ct, TimeSpan? max = null)
    {
        using var bounded = CancellationTokenSource.CreateLinkedTokenSource(ct);
        bounded.CancelAfter(max ?? MaxAnswerTime);
        try
        {
            return await ask(bounded.Token);
        }
        catch (Exception e) when (e is MeilisearchCommunicationError or MeilisearchTimeoutError or MeilisearchApiError or JsonException or IOException
            || (e is OperationCanceledException && !ct.IsCancellationRequested))
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

    private static string Quoted(string value) =>
        value.AsSpan().ContainsAnyExcept(Hexadecimal) ? throw new ArgumentException("Not hexadecimal", nameof(value)) : $"\"{value}\"";
}
