using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Data.Sqlite;
using NodeStash.Core.Storage;
using SQLitePCL;

namespace NodeStash.Bench;

/// <summary>What the limit's indexes are over.</summary>
internal readonly record struct LimitRow(string Id, string Email, string FirstName, string LastName, string CompanyId, string CreatedAt, string UpdatedAt);

/// <summary>
/// Contacts in a table with an index wherever the product has one; WAL, synchronous=FULL, one writer, commits that arrive together share an fsync.
/// </summary>
internal sealed class LimitTable : IDisposable
{
    private const string Create =
        """
        PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 8000;
        CREATE TABLE IF NOT EXISTS contacts (
            partition INTEGER NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, attributes BLOB NOT NULL,
            email TEXT, first_name TEXT, last_name TEXT, company_id TEXT, created_at TEXT, updated_at TEXT) STRICT;
        CREATE UNIQUE INDEX IF NOT EXISTS by_id ON contacts (partition, id);
        CREATE UNIQUE INDEX IF NOT EXISTS claims ON contacts (partition, email);
        CREATE INDEX IF NOT EXISTS by_creation ON contacts (partition, type, created_at, id);
        CREATE INDEX IF NOT EXISTS by_email ON contacts (partition, email, id) WHERE type = 'contact';
        CREATE INDEX IF NOT EXISTS by_first_name ON contacts (partition, first_name, id) WHERE type = 'contact';
        CREATE INDEX IF NOT EXISTS by_last_name ON contacts (partition, last_name, id) WHERE type = 'contact';
        CREATE INDEX IF NOT EXISTS by_company ON contacts (partition, company_id, id) WHERE type = 'contact';
        CREATE INDEX IF NOT EXISTS by_update ON contacts (partition, updated_at, id) WHERE type = 'contact';
        """;

    private const int MaxGroup = 512;

    private readonly BlockingCollection<(Action<Statements> Work, TaskCompletionSource Done)> queue = [];
    private readonly ConcurrentBag<Statements> readers = [];
    private readonly Thread writer;
    private readonly string path;

    public LimitTable(string path)
    {
        this.path = path;
        writer = new Thread(Write) { IsBackground = true };
        using (var made = new SemaphoreSlim(0))
        {
            queue.Add((statements => made.Release(), new TaskCompletionSource()));
            writer.Start();
            made.Wait(CancellationToken.None);
        }
    }

    public byte[]? Find(string id) => Read(statements =>
    {
        using var row = Bind(statements.Find, id).ExecuteReader();
        return row.Read() ? row.GetFieldValue<byte[]>(0) : null;
    });

    public List<(string Id, string CreatedAt, byte[] Attributes)> Page((string CreatedAt, string Id)? after, int limit) => Read(statements =>
    {
        if (after is not { } place) return Rows(Bind(statements.FirstPage, (long)limit));

        // Two ranges of the index, as the product has it: SQLite turns a comparison of pairs with different tails into a scan.
        var rows = Rows(Bind(statements.SameSecond, place.CreatedAt, place.Id, (long)limit));
        if (rows.Count < limit) rows.AddRange(Rows(Bind(statements.NextPage, place.CreatedAt, (long)(limit - rows.Count))));
        return rows;
    });

    public List<(string Id, string CreatedAt, byte[] Attributes)> OfCompany(string company, int limit) =>
        Read(statements => Rows(Bind(statements.OfCompany, company, (long)limit)));

    public Task Insert(LimitRow row, byte[] attributes) => Write(statements => Bind(
        statements.Insert, row.Id, attributes, row.Email, row.FirstName, row.LastName, row.CompanyId, row.CreatedAt, row.UpdatedAt).ExecuteNonQuery());

    public Task Update(string id, byte[] attributes, string updatedAt) =>
        Write(statements => Bind(statements.Update, id, attributes, updatedAt).ExecuteNonQuery());

    /// <summary>A contact of the product's, as it is.</summary>
    public Task Insert(StoredRecord contact)
    {
        var json = System.Text.Json.JsonElement.Parse(contact.Attributes.Span);
        string Of(string name) => json.GetProperty(name).GetString()!;
        return Insert(new LimitRow(contact.Id, Of("email"), Of("first_name"), Of("last_name"), Of("company_id"), Of("created_at"), Of("updated_at")),
            contact.Attributes.ToArray());
    }

    public void Dispose()
    {
        queue.CompleteAdding();
        writer.Join();
        while (readers.TryTake(out var statements)) statements.Dispose();
        queue.Dispose();
    }

    private static List<(string Id, string CreatedAt, byte[] Attributes)> Rows(SqliteCommand command)
    {
        using var row = command.ExecuteReader();
        var rows = new List<(string, string, byte[])>();
        while (row.Read()) rows.Add((row.GetString(0), row.GetString(1), row.GetFieldValue<byte[]>(2)));
        return rows;
    }

    private static SqliteCommand Bind(SqliteCommand command, params ReadOnlySpan<object> arguments)
    {
        for (var i = 0; i < arguments.Length; i++) command.Parameters[i].Value = arguments[i];
        return command;
    }

    private T Read<T>(Func<Statements, T> read)
    {
        if (!readers.TryTake(out var statements)) statements = new Statements(path);
        var answer = read(statements);
        readers.Add(statements);
        return answer;
    }

    private Task Write(Action<Statements> work)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        queue.Add((work, done));
        return done.Task;
    }

    private void Write()
    {
        using var statements = new Statements(path, Create);
        var group = new List<TaskCompletionSource>(MaxGroup);
        foreach (var first in queue.GetConsumingEnumerable())
        {
            statements.Begin.ExecuteNonQuery();
            var next = first;
            do
            {
                next.Work(statements);
                group.Add(next.Done);
            }
            while (group.Count < MaxGroup && queue.TryTake(out next));
            statements.Commit.ExecuteNonQuery();
            group.ForEach(done => done.SetResult());
            group.Clear();
        }

        statements.Analyze.ExecuteNonQuery();
    }

    /// <summary>A connection and its statements, compiled once.</summary>
    private sealed class Statements : IDisposable
    {
        private const string Columns = "SELECT id, created_at, attributes FROM contacts WHERE partition = 1 AND type = 'contact'";

        /// <summary>SQLITE_DBCONFIG_ENABLE_QPSG, as the product has it: without, a statement with a LIMIT is compiled each time it runs.</summary>
        private const int EnableStabilityGuarantee = 1007;

        private readonly SqliteConnection connection;

        public Statements(string path, string? script = null)
        {
            connection = new SqliteConnection($"Data Source={path};Pooling=False");
            connection.Open();
            raw.sqlite3_db_config(connection.Handle, EnableStabilityGuarantee, 1, out _);
            if (script is not null) Prepare(script, 0).ExecuteNonQuery();
            Begin = Prepare("BEGIN IMMEDIATE", 0);
            Commit = Prepare("COMMIT", 0);
            Analyze = Prepare("ANALYZE", 0);
            Find = Prepare("SELECT attributes FROM contacts WHERE partition = 1 AND id = ?1", 1);
            FirstPage = Prepare($"{Columns} ORDER BY created_at DESC, id DESC LIMIT ?1", 1);
            SameSecond = Prepare($"{Columns} AND created_at = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3", 3);
            NextPage = Prepare($"{Columns} AND created_at < ?1 ORDER BY created_at DESC, id DESC LIMIT ?2", 2);
            OfCompany = Prepare($"{Columns} AND company_id = ?1 ORDER BY created_at DESC, id DESC LIMIT ?2", 2);
            Insert = Prepare("INSERT INTO contacts VALUES (1, 'contact', ?1, 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)", 8);
            Update = Prepare("UPDATE contacts SET version = version + 1, attributes = ?2, updated_at = ?3 WHERE partition = 1 AND id = ?1", 3);
        }

        public SqliteCommand Begin { get; }

        public SqliteCommand Commit { get; }

        /// <summary>Tells SQLite which index is how selective, as the product does.</summary>
        public SqliteCommand Analyze { get; }

        public SqliteCommand Find { get; }

        public SqliteCommand FirstPage { get; }

        public SqliteCommand SameSecond { get; }

        public SqliteCommand NextPage { get; }

        public SqliteCommand OfCompany { get; }

        public SqliteCommand Insert { get; }

        public SqliteCommand Update { get; }

        public void Dispose() => connection.Dispose();

        [SuppressMessage("Security", "CA2100", Justification = "All texts are above.")]
        private SqliteCommand Prepare(string sql, int arguments)
        {
            var command = connection.CreateCommand();
            command.CommandText = sql;
            for (var i = 1; i <= arguments; i++) command.Parameters.Add(new SqliteParameter("?" + i, null));
            return command;
        }
    }
}
