using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using NodeStash.Core.Storage;

namespace NodeStash.LocalHost.Store;

/// <summary>Creates the tables and indexes of <c>nodestash.db</c>.</summary>
public static class Schema
{
    /// <summary>SQL scripts, oldest first. Only append: existing files have run the earlier ones.</summary>
    public static IReadOnlyList<string> Migrations { get; } =
    [
        """
        CREATE TABLE partitions (number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE) STRICT;

        CREATE TABLE records (
            partition INTEGER NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL,
            attributes BLOB NOT NULL, internal BLOB,
            keys BLOB NOT NULL,   -- JSONB, see StoredKeys
            arrays BLOB           -- JSONB, see StoredKeys; null where the record has none
        ) STRICT;
        CREATE UNIQUE INDEX records_by_id ON records (partition, id);
        CREATE INDEX records_by_creation ON records (partition, type, json_extract(keys, '$.created_at'), id);

        CREATE TABLE claims (
            partition INTEGER NOT NULL, key TEXT NOT NULL, owner TEXT NOT NULL, PRIMARY KEY (partition, key)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE events (
            position INTEGER PRIMARY KEY AUTOINCREMENT, -- of all partitions, in the order of their commits
            partition INTEGER NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL,
            record_type TEXT NOT NULL, record_id TEXT NOT NULL, version INTEGER NOT NULL,
            at INTEGER NOT NULL,  -- Unix seconds
            body BLOB NOT NULL
        ) STRICT;
        CREATE UNIQUE INDEX events_by_id ON events (partition, id);
        CREATE INDEX events_by_record ON events (partition, record_id, position);
        CREATE INDEX events_by_position ON events (partition, position, name, at);

        CREATE TABLE leases (name TEXT PRIMARY KEY, position INTEGER NOT NULL) STRICT, WITHOUT ROWID;

        CREATE TABLE deliveries (
            partition INTEGER NOT NULL, id TEXT NOT NULL, webhook TEXT NOT NULL, record TEXT NOT NULL,
            event TEXT NOT NULL, event_name TEXT NOT NULL, version INTEGER NOT NULL,
            status INTEGER NOT NULL,     -- DeliveryStatus
            attempts TEXT NOT NULL,      -- a JSON array of DeliveryAttempt
            created_at INTEGER NOT NULL  -- ticks
        ) STRICT;
        CREATE UNIQUE INDEX deliveries_by_id ON deliveries (partition, id);
        CREATE INDEX deliveries_by_webhook ON deliveries (partition, webhook, id, status);
        CREATE INDEX deliveries_pending ON deliveries (partition, webhook, record, version, event) WHERE status = 0;

        CREATE TABLE lanes (
            partition INTEGER NOT NULL, webhook TEXT NOT NULL, record TEXT NOT NULL,
            holder TEXT NOT NULL, until INTEGER NOT NULL, -- ticks
            PRIMARY KEY (partition, webhook, record)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE credentials (hash TEXT PRIMARY KEY, key_id TEXT NOT NULL, workspace_id TEXT NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE workspaces (id TEXT PRIMARY KEY, name TEXT NOT NULL, plan TEXT NOT NULL, created_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        """,
        """
        CREATE TABLE answers (
            partition INTEGER NOT NULL, key TEXT NOT NULL, fingerprint TEXT NOT NULL,
            at INTEGER NOT NULL, -- ticks
            content TEXT NOT NULL, PRIMARY KEY (partition, key)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX answers_by_age ON answers (at);
        """,
        """
        -- As in StoredKeys; out of the other keys, for it is the one that every change changes.
        ALTER TABLE records ADD COLUMN updated_at ANY;
        UPDATE records SET updated_at = json_extract(keys, '$.updated_at'), keys = jsonb_remove(keys, '$.updated_at');
        """,
        """
        ALTER TABLE deliveries ADD COLUMN attempts_before INTEGER NOT NULL DEFAULT 0;

        DROP TABLE lanes;
        CREATE TABLE lanes ( -- that have something pending
            partition INTEGER NOT NULL, webhook TEXT NOT NULL, record TEXT NOT NULL,
            due INTEGER NOT NULL,       -- ticks
            under_way INTEGER NOT NULL, -- 1 where an attempt is under way that takes long
            PRIMARY KEY (partition, webhook, record)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX lanes_by_due ON lanes (partition, webhook, due);
        INSERT INTO lanes SELECT DISTINCT partition, webhook, record, 0, 0 FROM deliveries WHERE status = 0;

        CREATE TABLE endpoints (
            partition INTEGER NOT NULL, webhook TEXT NOT NULL,
            holder TEXT,                             -- the orchestration that works for it; null for none
            until INTEGER NOT NULL,                  -- ticks
            asleep INTEGER NOT NULL,                 -- 1 where it waits for a lane to become due
            failing_since INTEGER, failed_at INTEGER, -- ticks; null where it has taken what was sent last
            PRIMARY KEY (partition, webhook)
        ) STRICT, WITHOUT ROWID;
        """,
        """
        -- As in EventChain, in place of an index.
        ALTER TABLE records ADD COLUMN last_event INTEGER;
        ALTER TABLE events ADD COLUMN previous INTEGER;
        CREATE TABLE last_events ( -- of records that are gone
            partition INTEGER NOT NULL, record_id TEXT NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (partition, record_id)
        ) STRICT, WITHOUT ROWID;
        UPDATE events SET previous = (
            SELECT max(e.position) FROM events e WHERE e.partition = events.partition AND e.record_id = events.record_id AND e.position < events.position);
        UPDATE records SET last_event = (SELECT max(e.position) FROM events e WHERE e.partition = records.partition AND e.record_id = records.id);
        INSERT INTO last_events SELECT partition, record_id, max(position) FROM events e
            WHERE NOT EXISTS (SELECT 1 FROM records r WHERE r.partition = e.partition AND r.id = e.record_id) GROUP BY partition, record_id;
        DROP INDEX events_by_record;
        """,
        """
        CREATE TABLE messages (
            id INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, text TEXT NOT NULL,
            tries INTEGER NOT NULL,      -- how often it was taken
            visible_at INTEGER NOT NULL, -- ticks; until then it is hidden
            taken INTEGER NOT NULL       -- 1 where it is hidden because somebody took it
        ) STRICT;
        CREATE INDEX messages_by_time ON messages (queue, visible_at);
        """,
        """
        CREATE TABLE untried ( -- as in PendingBuffer
            id INTEGER PRIMARY KEY, partition INTEGER NOT NULL, webhook TEXT NOT NULL,
            due INTEGER NOT NULL,    -- ticks
            deliveries TEXT NOT NULL -- a JSON array
        ) STRICT;
        """,
        """
        -- What is archived, oldest first, to be purged. No other record is in it.
        CREATE INDEX records_by_archival ON records (partition, type, json_extract(keys, '$.archived_at'), id)
            WHERE json_extract(keys, '$.archived_at') IS NOT NULL;
        """,
    ];

    /// <summary>Opens or creates the file, builds missing indexes on the records' keys, and drops others.</summary>
    /// <param name="path">The file; its folder must exist.</param>
    /// <param name="indexes">Indexes from the schemas. <c>created_at</c> is always indexed and need not be listed.</param>
    /// <param name="log">Receives failed commits.</param>
    /// <exception cref="NewerDatabaseException">The file was written by a newer version of the product.</exception>
    public static Database Open(string path, IReadOnlyCollection<RecordIndex> indexes, ILogger log) =>
        Database.Open(path, Migrations, log, session =>
        {
            session.Execute("PRAGMA optimize = 0x10002"); // 0x10000: look at every table
            Index(session, indexes);
            Estimate(session);
            // Return messages that an ended process had taken. Its end does not count as an attempt.
            session.Execute("UPDATE messages SET visible_at = 0, taken = 0, tries = tries - 1 WHERE taken = 1");
        });

    [SuppressMessage("Security", "CA2100", Justification = "Names and types come from the schemas and are quoted.")]
    private static void Index(Session session, IReadOnlyCollection<RecordIndex> indexes)
    {
        const string Prefix = "key of ";
        var wanted = indexes.Where(index => index.Key != "created_at").Distinct().ToDictionary(
            index => $"{Prefix}{index.Type}: {index.Key}",
            QueryTranslator.IndexOn,
            StringComparer.Ordinal);
        var existing = session.All(
            "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND substr(name, 1, ?1) = ?2",
            row => (Name: row.GetString(0), Sql: row.GetString(1)), (long)Prefix.Length, Prefix);
        foreach (var (name, sql) in existing)
        {
            if (wanted.TryGetValue(name, out var definition) && sql.EndsWith(definition, StringComparison.Ordinal)) wanted.Remove(name);
            else session.Script($"DROP INDEX {Quoted(name)}");
        }

        foreach (var (name, definition) in wanted) session.Script($"CREATE INDEX {Quoted(name)} ON records {definition}");
    }

    /// <summary>
    /// Writes estimated statistics for indexes that have none: few partitions, few types, many values. So a new file gets good query plans before its first
    /// analysis. Without them, SQLite takes a type to be as selective as an email address.
    /// </summary>
    private static void Estimate(Session session)
    {
        // Rows in all, then rows for each value of the first column, of the first two, and so on.
        const string ByTypeAndKey = "100000 50000 10000 2 1", ByKey = "10000 5000 50 1", Archived = "1000 500 100 2 1";
        session.Script("ANALYZE sqlite_schema"); // makes sqlite_stat1 where it is missing
        session.Execute(
            """
            INSERT INTO sqlite_stat1 (tbl, idx, stat)
            SELECT 'records', name, CASE WHEN name = 'records_by_creation' OR name LIKE 'key of record::%' THEN ?1 WHEN name = 'records_by_id' THEN '100000 50000 1'
                WHEN name = 'records_by_archival' THEN ?3 ELSE ?2 END
            FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'records' AND name NOT IN (SELECT idx FROM sqlite_stat1 WHERE idx IS NOT NULL)
            """,
            ByTypeAndKey, ByKey, Archived);
        session.Script("ANALYZE sqlite_schema"); // reads them
    }

    private static string Quoted(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
