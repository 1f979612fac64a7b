using NodeStash.Core.Storage;
namespace NodeStash.Azure.Cosmos;

/// <summary>Stores one partition in one logical partition. Belongs to one request, and keeps its session.</summary>
internal sealed class CosmosWorkspaceStore(Partition partition, PartitionClient client, RecordDocument documents, TimeProvider clock) : IWorkspaceStore
{
    private readonly LinkedConditions links = new(client);

    public Partition Partition => partition;

    public string? Session => client.Session;

    public async ValueTask<StoredRecord?> Find(string type, string id, CancellationToken ct) =>
        await client.Read(id, ct) is { } document && RecordDocument.IsOf(type, document) ? RecordDocument.Read(type, document) : null;

    public async ValueTask<string?> TypeOf(string id, CancellationToken ct) =>
        await client.Read(id, ct) is { } document ? RecordDocument.TypeOf(document) : null;

    public async ValueTask<IReadOnlyList<StoredRecord>> FindMany(string type, IReadOnlyCollection<string> ids, CancellationToken ct)
    {
        var wanted = ids.Distinct(StringComparer.Ordinal).Where(PartitionClient.IsId).ToList<object?>();
        if (wanted is []) return [];
        if (wanted is [string only]) return await Find(type, only, ct) is { } found ? [found] : [];
        var sql = SqlBuilder.Records(RecordDocument.Columns, type, new Condition.In(KeyPath.Id, wanted));
        return [.. (await client.All(sql.Query(), wanted.Count, ct)).Select(row => RecordDocument.Read(type, row))];
    }

    public async ValueTask<RecordPage> Query(RecordQuery query, CancellationToken ct)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(query.Limit, 1);
        if (query.Skip < 0 || (query.Skip > 0 && query.After is not null))
            throw new ArgumentException("a query skips records or begins after one", nameof(query));
        if (query.Order.Count == 0) throw new ArgumentException("a query has at least one sort key", nameof(query));
        if (query.After is { } after && after.Values.Count != query.Order.Count) throw new ArgumentException("the keyset is of another order", nameof(query));
        var reader = await links.Resolve(query.Where, ct) is { } resolved
            ? new PageReader(client, documents, query with { Where = resolved }, null)
            : new PageReader(
                client, documents, query with { Where = LinkedConditions.WithoutLinks(query.Where) }, ids => links.Filter(query.Type, ids, query.Where, ct));
        var page = await client.Retry(() => reader.Read(ct), ct);
        return query.WithTotal ? page with { Total = await Count(query.Type, query.Where, ct) } : page;
    }

    public async ValueTask<long> Count(string type, Condition where, CancellationToken ct)
    {
        if (await links.Resolve(where, ct) is not { } resolved) return await CountChecked(type, where, ct);
        return (await client.All(SqlBuilder.Records("VALUE COUNT(1)", type, resolved).Query(), 1, ct))[0].GetInt64();
    }

    public async ValueTask<IReadOnlyDictionary<string, long>> CountEach(
        string type, KeyPath path, IReadOnlyCollection<string> texts, Condition where, CancellationToken ct)
    {
        var wanted = texts.Distinct(StringComparer.Ordinal).ToList<object?>();
        if (wanted is []) return new Dictionary<string, long>();
        var sql = SqlBuilder.Records($"{SqlBuilder.Path(path)} AS text, COUNT(1) AS n", type, new Condition.In(path, wanted).And(where));
        var rows = await client.All(sql.Query($" GROUP BY {SqlBuilder.Path(path)}"), wanted.Count, ct);
        return rows.ToDictionary(row => row.GetProperty("text").GetString()!, row => row.GetProperty("n").GetInt64(), StringComparer.Ordinal);
    }

    /// <summary>Calls <paramref name="make"/> each time, because other processes write, too.</summary>
    public ValueTask<T?> Memoized<T>(string type, string name, Func<CancellationToken, ValueTask<T?>> make, CancellationToken ct)
        where T : class => make(ct);

    public async ValueTask<string?> FindOwner(string uniqueKey, CancellationToken ct) =>
        await client.Read(UniqueKeyDocument.Id(uniqueKey), ct) is { } document ? UniqueKeyDocument.Owner(document) : null;

    public ValueTask<CommitOutcome> Commit(Commit commit, CancellationToken ct)
    {
        commit.EnsureWithinLimits();
        ct.ThrowIfCancellationRequested();
        return new CommitRun(client, this, documents, clock, commit).Run(ct);
    }

    public async ValueTask<CommitOutcome> Check(Commit commit, CancellationToken ct)
    {
        commit.EnsureWithinLimits();
        if (commit.Answer is { } answer && await FindAnswer(answer.Key, ct) is not null) return new CommitOutcome(CommitResult.Answered, answer.Key);
        foreach (var guard in commit.Guards)
        {
            var broken = guard switch
            {
                Guard.RecordExists exists =>
                    exists.Holds(await Find(exists.Type, exists.Id, ct)) ? CommitOutcome.Done : new CommitOutcome(CommitResult.Missing, exists.Id),
                Guard.UniqueKeyHeld held => await FindOwner(held.Key, ct) is null ? new CommitOutcome(CommitResult.Missing, held.Key) : CommitOutcome.Done,
                Guard.NoneMatch none => await Matches(none.Type, none.Where, ct) ? new CommitOutcome(CommitResult.Blocked, none.Type) : CommitOutcome.Done,
                _ => throw new ArgumentException($"unknown guard {guard.GetType()}", nameof(commit)),
            };
            if (broken != CommitOutcome.Done) return broken;
        }

        return await new StagedStore(this).Commit(new Commit { Writes = commit.Writes }, ct);
    }

    public async ValueTask<StoredAnswer?> FindAnswer(string key, CancellationToken ct) =>
        await client.Read(AnswerDocument.Id(key), ct) is { } document && AnswerDocument.Read(key, document) is var answer
            && answer.At > clock.GetUtcNow() - StoredAnswer.Retention ? answer : null;

    public async ValueTask<StoredEvent?> FindEvent(string id, CancellationToken ct) =>
        await client.Read(id, ct) is { } document && EventDocument.Is(document) && EventDocument.Read(document) is var @event
            && @event.At.ToUnixTimeSeconds() > LastExpiredSecond() ? @event : null;

    public ValueTask<EventPage> ReadEvents(EventQuery query, CancellationToken ct) => new EventReader(client, clock, query).Read(LastExpiredSecond(), ct);

    public async ValueTask<IReadOnlyList<StoredEvent>> EventsOf(string recordId, string? before, int limit, CancellationToken ct)
    {
        var sql = new SqlBuilder(EventDocument.Columns);
        sql.And($"c.record_id = {sql.Bind(recordId)}").And($"c.at > {sql.Bind(LastExpiredSecond())}");
        if (before is not null)
        {
            if (await FindEvent(before, ct) is not { } end) return [];
            sql.And($"(c.record_version < {sql.Bind(end.Version)} OR (c.record_version = {sql.Bind(end.Version)} AND c.id < {sql.Bind(end.Id)}))");
        }

        var rows = await client.All(sql.Query(" ORDER BY c.record_id DESC, c.record_version DESC, c.id DESC"), limit, ct);
        return [.. rows.Select(EventDocument.Read)];
    }

    /// <summary>Whether any record matches.</summary>
    internal async ValueTask<bool> Matches(string type, Condition where, CancellationToken ct) => await links.Resolve(where, ct) is { } resolved
        ? await client.All(SqlBuilder.Records("c.id", type, resolved).Query(" OFFSET 0 LIMIT 1"), 1, ct) is not []
        : await CountChecked(type, where, ct) > 0;

    /// <summary>Counts records by checking the records they link to.</summary>
    private async ValueTask<long> CountChecked(string type, Condition where, CancellationToken ct)
    {
        var candidates = await client.All(SqlBuilder.Records("VALUE c.id", type, LinkedConditions.WithoutLinks(where)).Query(), int.MaxValue, ct);
        var count = 0L;
        foreach (var chunk in candidates.Chunk(LinkedConditions.Chunk))
            count += (await links.Filter(type, [.. chunk.Select(id => id.GetString()!)], where, ct)).Count;
        return count;
    }

    /// <summary>Returns the last second whose events have expired.</summary>
    private long LastExpiredSecond() => (clock.GetUtcNow() - StoredEvent.Retention).ToUnixTimeSeconds();
}
