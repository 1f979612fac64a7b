using NodeStash.Core.Storage;

namespace NodeStash.LocalHost.Store;

/// <summary>Applies commits inside a transaction of the writer.</summary>
internal sealed class CommitWriter(Session session, long partition, QueryTranslator translator)
{
    private const string Columns = "version = ?4, attributes = ?5, internal = ?6, updated_at = ?9, last_event = ifnull(?10, last_event)";
    private const string ExistsAtAll = "SELECT 1 FROM records WHERE partition = ?1 AND id = ?2 AND type = ?3";
    private const string ExistsVisible = $"{ExistsAtAll} AND json_extract(keys, '$.{ArchiveState.FieldName}') IS NULL";
    private const string IsVersionBefore = "partition = ?1 AND type = ?2 AND id = ?3 AND version = ?4 - 1";

    /// <summary>Positions of the last events of this commit, by record.</summary>
    private readonly Dictionary<string, long> lastEvents = new(StringComparer.Ordinal);

    /// <summary>Applies the whole commit, or undoes it.</summary>
    /// <param name="commit">The commit.</param>
    /// <param name="keys">The keys of each write, encoded beforehand on the caller's thread.</param>
    /// <returns>The outcome, and the position of the last event; 0 for none.</returns>
    public (CommitOutcome Outcome, long LastEvent) Apply(Commit commit, IReadOnlyList<EncodedKeys> keys)
    {
        if (commit.Answer is { } answer && !StoreAnswer(answer)) return Undo(new CommitOutcome(CommitResult.Answered, answer.Key));
        foreach (var guard in commit.Guards)
        {
            if (Check(guard) is { } broken) return Undo(broken);
        }

        // Events go first, because the row of a record names its last event.
        var last = 0L;
        foreach (var @event in commit.Events) last = Append(@event, commit);
        for (var i = 0; i < commit.Writes.Count; i++)
        {
            if (Apply(commit.Writes[i], keys[i]) is { } refused) return Undo(refused);
        }

        foreach (var (recordId, position) in lastEvents) EventChain.SetLast(session, partition, recordId, position);
        return (CommitOutcome.Done, last);
    }

    /// <summary>Stores an answer, and replaces an expired one. Returns false if the request has an answer already.</summary>
    private bool StoreAnswer(StoredAnswer answer) => session.Execute(
        """
        INSERT INTO answers (partition, key, fingerprint, at, content) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (partition, key) DO UPDATE SET fingerprint = ?3, at = ?4, content = ?5 WHERE at <= ?6
        """,
        partition, answer.Key, answer.Fingerprint, answer.At.UtcTicks, answer.Content, (answer.At - StoredAnswer.Retention).UtcTicks) == 1;

    private (CommitOutcome Outcome, long LastEvent) Undo(CommitOutcome outcome)
    {
        session.Undo();
        return (outcome, 0);
    }

    private CommitOutcome? Check(Guard guard) => guard switch
    {
        Guard.RecordExists record => Exists(record.IsVisible ? ExistsVisible : ExistsAtAll, partition, record.Id, record.Type)
            ? null : new CommitOutcome(CommitResult.Missing, record.Id),
        Guard.UniqueKeyHeld uniqueKey => Exists("SELECT 1 FROM claims WHERE partition = ?1 AND key = ?2", partition, uniqueKey.Key)
            ? null : new CommitOutcome(CommitResult.Missing, uniqueKey.Key),
        Guard.NoneMatch none => AnyMatches(none) ? new CommitOutcome(CommitResult.Blocked, none.Type) : null,
        _ => throw new ArgumentException($"unknown guard {guard.GetType()}", nameof(guard)),
    };

    private CommitOutcome? Apply(Write write, EncodedKeys keys) => write switch
    {
        Write.Insert insert => Insert(insert.Record, keys) ? null : new CommitOutcome(CommitResult.Exists, insert.Record.Id),
        Write.Replace replace => Replace(replace.Record, keys) ? null : new CommitOutcome(CommitResult.Stale, replace.Record.Id),
        Write.Remove remove => Remove(remove) ? null : new CommitOutcome(CommitResult.Stale, remove.Id),
        Write.Reserve uniqueKey => Reserve(uniqueKey) ? null : new CommitOutcome(CommitResult.UniqueKeyTaken, uniqueKey.Key),
        Write.Release release => Release(release),
        _ => throw new ArgumentException($"unknown write {write.GetType()}", nameof(write)),
    };

    private bool Insert(StoredRecord record, EncodedKeys keys)
    {
        return session.Execute(
            """
            INSERT INTO records (partition, type, id, version, attributes, internal, keys, arrays, updated_at, last_event)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, jsonb(?7), jsonb(?8), ?9, ?10) ON CONFLICT (partition, id) DO NOTHING
            """,
            partition, record.Type, record.Id, record.Version, record.Attributes, record.Internal, keys.Scalars, keys.Arrays, keys.UpdatedAt,
            LastEvent(record.Id)) == 1;
    }

    private bool Replace(StoredRecord record, EncodedKeys keys)
    {
        object?[] row = [partition, record.Type, record.Id, record.Version, record.Attributes, record.Internal, keys.Scalars, keys.Arrays, keys.UpdatedAt,
            LastEvent(record.Id)];

        // A statement that sets the keys writes all their indexes, even if no key changes. So try the one without keys first.
        return session.Execute($"UPDATE records SET {Columns} WHERE {IsVersionBefore} AND keys = jsonb(?7) AND arrays IS jsonb(?8)", row) == 1
            || session.Execute($"UPDATE records SET {Columns}, keys = jsonb(?7), arrays = jsonb(?8) WHERE {IsVersionBefore}", row) == 1;
    }

    private bool Remove(Write.Remove remove)
    {
        if (EventChain.FindLast(session, partition, remove.Id) is { } last) lastEvents.TryAdd(remove.Id, last);
        return session.Execute(
            "DELETE FROM records WHERE partition = ?1 AND type = ?2 AND id = ?3 AND version = ?4", partition, remove.Type, remove.Id, remove.Version) == 1;
    }

    private bool Reserve(Write.Reserve uniqueKey) =>
        session.Execute("INSERT INTO claims (partition, key, owner) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING", partition, uniqueKey.Key, uniqueKey.Owner) == 1
        || Exists("SELECT 1 FROM claims WHERE partition = ?1 AND key = ?2 AND owner = ?3", partition, uniqueKey.Key, uniqueKey.Owner);

    private CommitOutcome? Release(Write.Release release)
    {
        session.Execute("DELETE FROM claims WHERE partition = ?1 AND key = ?2 AND owner = ?3", partition, release.Key, release.Owner);
        return null;
    }

    private long Append(StoredEvent @event, Commit commit)
    {
        var previous = lastEvents.TryGetValue(@event.RecordId, out var last)
            ? last
            : IsNew(@event.RecordId, commit) ? null : EventChain.FindLast(session, partition, @event.RecordId);
        return lastEvents[@event.RecordId] = session.Insert(
            "INSERT INTO events (partition, id, name, record_type, record_id, version, at, body, previous) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            partition, @event.Id, @event.Name, @event.RecordType, @event.RecordId, @event.Version, @event.At.ToUnixTimeSeconds(), @event.Body,
            previous);
    }

    /// <summary>Takes the position of a record's last event in this commit, for the row of the record; null for none.</summary>
    private object? LastEvent(string recordId) => lastEvents.Remove(recordId, out var position) ? position : null;

    private static bool IsNew(string recordId, Commit commit) => commit.Writes is [Write.Insert only] && only.Record.Id == recordId;

    private bool AnyMatches(Guard.NoneMatch guard)
    {
        var statement = translator.Any(partition, guard.Type, guard.Where);
        return Exists(statement.Sql, statement.Arguments);
    }

    private bool Exists(string sql, params ReadOnlySpan<object?> arguments) => session.One(sql, static _ => true, arguments);
}
