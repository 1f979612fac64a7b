using System.Globalization;
using System.Text.Json;
using NodeStash.Core.Storage;

namespace NodeStash.LocalHost.Store;

/// <summary>Stores one partition in the file. Reads run on the caller's thread, each in one snapshot; commits use <see cref="Database.Write"/>.</summary>
internal sealed class SqliteWorkspaceStore(
    Database database, Partition partition, PartitionNumbers numbers, QueryTranslator translator, RecentEvents recent, SqliteChangeFeed feed,
    TimeProvider clock) : IWorkspaceStore
{
    private const string EventColumns = "position, id, name, record_type, record_id, version, at, body";

    private readonly MemoizedValues memoized = new();

    public Partition Partition => partition;

    public string? Session => null;

    public ValueTask<StoredRecord?> Find(string type, string id, CancellationToken ct) => Read(
        null,
        (session, number) => session.One(
            "SELECT id, version, attributes, internal FROM records WHERE partition = ?1 AND id = ?2 AND type = ?3",
            row => Record(type, row), number, id, type),
        ct);

    public ValueTask<string?> TypeOf(string id, CancellationToken ct) => Read(
        null,
        (session, number) => session.One("SELECT type FROM records WHERE partition = ?1 AND id = ?2", row => row.GetString(0), number, id),
        ct);

    public ValueTask<IReadOnlyList<StoredRecord>> FindMany(string type, IReadOnlyCollection<string> ids, CancellationToken ct) =>
        Read<IReadOnlyList<StoredRecord>>(
        [],
        (session, number) => session.All(
            "SELECT id, version, attributes, internal FROM records WHERE partition = ?1 AND id IN (SELECT value FROM json_each(?2)) AND type = ?3",
            row => Record(type, row), number, JsonSerializer.Serialize(ids), type),
        ct);

    public ValueTask<RecordPage> Query(RecordQuery query, CancellationToken ct) => Read(
        new RecordPage([], null) { Total = query.WithTotal ? 0 : null },
        (session, number) =>
        {
            // One more row than the limit shows whether there is a next page.
            var rows = new List<StoredRecord>(query.Limit + 1);
            Keyset? last = null;
            foreach (var statement in translator.Page(number, query with { Limit = query.Limit + 1 }))
            {
                statement.Arguments[^1] = (long)(query.Limit + 1 - rows.Count);
                session.Each(
                    statement.Sql,
                    row =>
                    {
                        rows.Add(Record(query.Type, row));
                        if (rows.Count == query.Limit) last = ReadKeyset(row, query.Order.Count);
                    },
                    statement.Arguments);
                if (rows.Count > query.Limit) break;
            }

            if (rows.Count > query.Limit) rows.RemoveAt(query.Limit);
            else last = null;
            return new RecordPage(rows, last) { Total = query.WithTotal ? Count(session, number, query.Type, query.Where) : null };
        },
        ct,
        isOneStatement: query is { After: null, WithTotal: false });

    public ValueTask<long> Count(string type, Condition where, CancellationToken ct) => Read(
        0,
        (session, number) => Count(session, number, type, where),
        ct);

    public ValueTask<IReadOnlyDictionary<string, long>> CountEach(
        string type, KeyPath path, IReadOnlyCollection<string> texts, Condition where, CancellationToken ct) => Read<IReadOnlyDictionary<string, long>>(
        new Dictionary<string, long>(),
        (session, number) =>
        {
            var counts = new Dictionary<string, long>(StringComparer.Ordinal);
            var statement = translator.CountEach(number, type, path, texts, where);
            session.Each(statement.Sql, row => counts.Add((string)StoredKeys.Read(row, 1)!, row.GetInt64(0)), statement.Arguments);
            return counts;
        },
        ct);

    public ValueTask<T?> Memoized<T>(string type, string name, Func<CancellationToken, ValueTask<T?>> make, CancellationToken ct)
        where T : class => memoized.Get(type, name, () => make(ct));

    public ValueTask<string?> FindOwner(string uniqueKey, CancellationToken ct) => Read(
        null,
        (session, number) => session.One("SELECT owner FROM claims WHERE partition = ?1 AND key = ?2", row => row.GetString(0), number, uniqueKey),
        ct);

    public async ValueTask<CommitOutcome> Commit(Commit commit, CancellationToken ct)
    {
        commit.EnsureWithinLimits();
        var keys = KeysOf(commit);
        foreach (var write in commit.Writes)
        {
            if (TypeOf(write) is { } type) memoized.BeginChange(type);
        }

        try
        {
            var (outcome, lastEvent) =
                await database.Write(session => new CommitWriter(session, numbers.Ensure(session, partition), translator).Apply(commit, keys), ct);
            if (lastEvent > 0)
            {
                recent.Add(partition, commit.Events);
                feed.Signal(lastEvent);
            }

            return outcome;
        }
        finally
        {
            foreach (var write in commit.Writes)
            {
                if (TypeOf(write) is { } type) memoized.EndChange(type);
            }
        }
    }

    public async ValueTask<CommitOutcome> Check(Commit commit, CancellationToken ct)
    {
        commit.EnsureWithinLimits();
        var keys = KeysOf(commit);
        return await database.Write(
            session =>
            {
                var (outcome, _) = new CommitWriter(session, numbers.Ensure(session, partition), translator).Apply(commit, keys);
                session.Undo();
                return outcome;
            },
            ct);
    }

    public ValueTask<StoredAnswer?> FindAnswer(string key, CancellationToken ct) => Read(
        null,
        (session, number) => session.One(
            "SELECT fingerprint, at, content FROM answers WHERE partition = ?1 AND key = ?2 AND at > ?3",
            row => new StoredAnswer(key, row.GetString(0), StoredTime.FromTicks(row.GetInt64(1)), row.GetString(2)),
            number, key, (clock.GetUtcNow() - StoredAnswer.Retention).UtcTicks),
        ct);

    public ValueTask<StoredEvent?> FindEvent(string id, CancellationToken ct)
    {
        var lastExpiredSecond = LastExpiredSecond();
        if (recent.Find(partition, id) is { } @event) return new(@event.At.ToUnixTimeSeconds() > lastExpiredSecond ? @event : null);
        return Read(
            null,
            (session, number) => session.One(
                $"SELECT {EventColumns} FROM events WHERE partition = ?1 AND id = ?2 AND at > ?3", row => Event(row).Event, number, id, lastExpiredSecond),
            ct);
    }

    public ValueTask<EventPage> ReadEvents(EventQuery query, CancellationToken ct) => Read(
        new EventPage([], query.After, false),
        (session, number) =>
        {
            var after = long.TryParse(query.After, NumberStyles.None, CultureInfo.InvariantCulture, out var place) ? place : 0;
            var (lastExpiredSecond, max) = (Math.Max(LastExpiredSecond(), (query.From?.ToUnixTimeSeconds() ?? 0) - 1), query.Limit + 1);
            var rows = query.RecordId is { } recordId
                ? [.. EventChain.ListBackwards(session, number, recordId, lastExpiredSecond).TakeWhile(position => position > after).Reverse()
                    .Select(position => EventAt(session, position)).Where(row => query.Name is null || row.Event.Name == query.Name).Take(max)]
                : session.All(
                    $"SELECT {EventColumns} FROM events WHERE partition = ?1 AND position > ?2 AND at > ?3 AND (?4 IS NULL OR name = ?4) ORDER BY "
                        + $"position LIMIT ?5",
                    Event, number, after, lastExpiredSecond, query.Name, (long)max);
            var page = rows.Take(query.Limit).ToList();
            return new EventPage([.. page.Select(row => row.Event)], page.Count > 0 ? page[^1].Position.ToString(CultureInfo.InvariantCulture) : query.After,
                rows.Count > query.Limit);
        },
        ct,
        isOneStatement: query.RecordId is null);

    public ValueTask<IReadOnlyList<StoredEvent>> EventsOf(string recordId, string? before, int limit, CancellationToken ct) => Read<IReadOnlyList<StoredEvent>>(
        [],
        (session, number) =>
        {
            var end = before is null
                ? long.MaxValue
                : session.One("SELECT position FROM events WHERE partition = ?1 AND id = ?2", row => row.GetInt64(0), number, before);
            return [.. EventChain.ListBackwards(session, number, recordId, LastExpiredSecond()).SkipWhile(position => position >= end).Take(limit)
                .Select(position => EventAt(session, position).Event)];
        },
        ct,
        isOneStatement: false);

    /// <summary>Reads in one snapshot. Returns <paramref name="nothing"/> if the partition was never written to.</summary>
    private ValueTask<T> Read<T>(T nothing, Func<Session, long, T> read, CancellationToken ct, bool isOneStatement = true)
    {
        ct.ThrowIfCancellationRequested();
        T Of(Session session) => numbers.Find(session, partition) is { } number ? read(session, number) : nothing;
        return new ValueTask<T>(isOneStatement ? database.ReadOne(Of) : database.Read(Of));
    }

    /// <summary>Returns the last second whose events have expired.</summary>
    private long LastExpiredSecond() => (clock.GetUtcNow() - StoredEvent.Retention).ToUnixTimeSeconds();

    private static List<EncodedKeys> KeysOf(Commit commit) => [.. commit.Writes.Select(write => write switch
    {
        Write.Insert insert => StoredKeys.Encode(insert.Keys),
        Write.Replace replace => StoredKeys.Encode(replace.Keys),
        _ => default,
    })];

    /// <summary>Returns the type of the written record; null for other writes.</summary>
    private static string? TypeOf(Write write) => write switch
    {
        Write.Insert insert => insert.Record.Type,
        Write.Replace replace => replace.Record.Type,
        Write.Remove remove => remove.Type,
        _ => null,
    };

    private static StoredRecord Record(string type, Row row) => new(
        type, row.GetString(0), row.GetInt64(1), row.GetBytes(2), row.IsNull(3) ? default(ReadOnlyMemory<byte>?) : row.GetBytes(3));

    private static Keyset ReadKeyset(Row row, int keys)
    {
        const int FirstKey = 4;
        var values = new object?[keys];
        for (var i = 0; i < keys; i++) values[i] = StoredKeys.Read(row, FirstKey + i);
        return new Keyset(values, row.GetString(0));
    }

    private long Count(Session session, long partition, string type, Condition where)
    {
        var statement = translator.Count(partition, type, where);
        return session.One(statement.Sql, row => row.GetInt64(0), statement.Arguments);
    }

    private static (long Position, StoredEvent Event) EventAt(Session session, long position) =>
        session.One($"SELECT {EventColumns} FROM events WHERE position = ?1", Event, position);

    private static (long Position, StoredEvent Event) Event(Row row) => (
        row.GetInt64(0),
        new StoredEvent(
            row.GetString(1), row.GetString(2), row.GetString(3), row.GetString(4), row.GetInt64(5),
            DateTimeOffset.FromUnixTimeSeconds(row.GetInt64(6)), row.GetBytes(7)));
}
