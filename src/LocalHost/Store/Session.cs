using System.Text;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace NodeStash.LocalHost.Store;

/// <summary>
/// Runs SQL on one connection and caches prepared statements, the <see cref="MaxPrepared"/> most recently used. Used by one thread at a time. Calls SQLite
/// directly, because the commands, parameters and readers of ADO.NET cost more than a point read.
/// </summary>
public sealed class Session : IDisposable
{
    /// <summary>Maximum number of cached statements: far more than the product has, because clients' queries have countless shapes.</summary>
    public const int MaxPrepared = 300;

    private const int SQLITE_DBSTATUS_CACHE_WRITE = 9;

    private const int SQLITE_STMTSTATUS_REPREPARE = 5;

    /// <summary>The query planner's stability guarantee.</summary>
    private const int SQLITE_DBCONFIG_ENABLE_QPSG = 1007;

    private const int BusyTimeoutMilliseconds = 10_000;

    /// <summary>Number of steps of SQLite's virtual machine between checks for cancellation. One step reads a row or a part of an index.</summary>
    private const int StepsBetweenChecks = 500;

    private readonly sqlite3 connection;
    private readonly Dictionary<string, Prepared> prepared = new(StringComparer.Ordinal);
    private byte[] text = new byte[1024];
    private long uses;
    private readonly Stack<(Action Committed, Action Undone)> outcomeActions = new();
    private int actionsBeforeWork;
    private bool isSaved;
    private CancellationToken stop;

    private Session(sqlite3 connection) => this.connection = connection;

    /// <summary>Whether no transaction is open, for example because SQLite rolled it back on a full disk.</summary>
    internal bool InAutoCommit => raw.sqlite3_get_autocommit(connection) != 0;

    /// <summary>Number of times that SQLite recompiled a prepared statement; only a changed schema or new statistics cause it.</summary>
    public int Recompilations => prepared.Values.Sum(known => raw.sqlite3_stmt_status(known.Statement, SQLITE_STMTSTATUS_REPREPARE, resetFlg: 0));

    /// <summary>Returns the number of pages written to the file or its log since the last call.</summary>
    internal int PagesWritten()
    {
        Check(raw.sqlite3_db_status(connection, SQLITE_DBSTATUS_CACHE_WRITE, out var pages, out _, resetFlg: 1));
        return pages;
    }

    /// <summary>Opens a connection.</summary>
    /// <param name="path">The file.</param>
    /// <param name="isReadOnly">Whether it only reads; otherwise it creates a missing file.</param>
    /// <exception cref="SqliteException">The file can't be opened.</exception>
    internal static Session Open(string path, bool isReadOnly)
    {
        Batteries_V2.Init();
        // No mutex: a session is used by one thread at a time.
        var mode = isReadOnly ? raw.SQLITE_OPEN_READONLY : raw.SQLITE_OPEN_READWRITE | raw.SQLITE_OPEN_CREATE;
        var code = raw.sqlite3_open_v2(path, out var connection, mode | raw.SQLITE_OPEN_NOMUTEX, null);
        var session = new Session(connection);
        try
        {
            session.Check(code);
            session.Check(raw.sqlite3_extended_result_codes(connection, 1));
            session.Check(raw.sqlite3_busy_timeout(connection, BusyTimeoutMilliseconds));
            // Plan from the text alone. Otherwise SQLite considers values bound to a LIMIT or beside a partial index, and recompiles the statement each
            // time.
            session.Check(raw.sqlite3_db_config(connection, SQLITE_DBCONFIG_ENABLE_QPSG, 1, out _));
            return session;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Runs a statement and returns the number of changed rows. Arguments are bound to ?1, ?2, … (null, long, double, string, byte[], ReadOnlyMemory of
    /// bytes).
    /// </summary>
    public int Execute(string sql, params ReadOnlySpan<object?> arguments)
    {
        var statement = Bind(sql, arguments);
        try
        {
            while (Step(statement))
            {
            }

            return raw.sqlite3_changes(connection);
        }
        finally
        {
            raw.sqlite3_reset(statement);
        }
    }

    /// <summary>Inserts one row and returns its rowid.</summary>
    public long Insert(string sql, params ReadOnlySpan<object?> arguments)
    {
        Execute(sql, arguments);
        return raw.sqlite3_last_insert_rowid(connection);
    }

    /// <summary>Reads and maps the first row; default(T) for none.</summary>
    public T? One<T>(string sql, Func<Row, T> map, params ReadOnlySpan<object?> arguments)
    {
        var statement = Bind(sql, arguments);
        try
        {
            return Step(statement) ? map(new Row(statement)) : default;
        }
        finally
        {
            raw.sqlite3_reset(statement);
        }
    }

    /// <summary>Reads and maps every row, in the order of the query.</summary>
    public List<T> All<T>(string sql, Func<Row, T> map, params ReadOnlySpan<object?> arguments)
    {
        var rows = new List<T>();
        Each(sql, row => rows.Add(map(row)), arguments);
        return rows;
    }

    /// <summary>Passes every row to an action, in the order of the query.</summary>
    public void Each(string sql, Action<Row> take, params ReadOnlySpan<object?> arguments)
    {
        var statement = Bind(sql, arguments);
        try
        {
            while (Step(statement)) take(new Row(statement));
        }
        finally
        {
            raw.sqlite3_reset(statement);
        }
    }

    /// <summary>
    /// Undoes everything that the running work has written. The work may then write something else, or return. Without a savepoint this throws an exception,
    /// which the work must not catch: the database then runs the work again in a savepoint.
    /// </summary>
    public void Undo()
    {
        if (!isSaved) throw new InvalidOperationException("this work is run again in a savepoint");
        Execute("ROLLBACK TO work");
        RunUndone(actionsBeforeWork);
    }

    /// <summary>Registers actions for memory that changes together with the file.</summary>
    /// <param name="committed">Runs once the writes of the running work are on disk.</param>
    /// <param name="undone">Runs if the work is undone: restores the memory, the latest change first.</param>
    internal void AfterWork(Action committed, Action undone) => outcomeActions.Push((committed, undone));

    /// <summary>Begins the transaction of a group.</summary>
    internal void Begin() => Execute("BEGIN IMMEDIATE");

    /// <summary>Commits the writes since <see cref="Begin"/>.</summary>
    internal void Commit()
    {
        Execute("COMMIT");
        while (outcomeActions.TryPop(out var end)) end.Committed();
    }

    /// <summary>Rolls back the writes since <see cref="Begin"/>.</summary>
    internal void Rollback()
    {
        isSaved = false;
        RunUndone(0);
        // SQLite may have rolled back by itself.
        if (!InAutoCommit) Execute("ROLLBACK");
    }

    /// <summary>Begins the savepoint that <see cref="Undo"/> returns to.</summary>
    internal void BeginSavepoint()
    {
        Execute("SAVEPOINT work");
        (isSaved, actionsBeforeWork) = (true, outcomeActions.Count);
    }

    /// <summary>Releases the savepoint and keeps the writes since.</summary>
    internal void ReleaseSavepoint()
    {
        isSaved = false;
        Execute("RELEASE work");
    }

    /// <summary>
    /// Makes running and later statements throw <see cref="OperationCanceledException"/> once the token is cancelled. The session can't be used after
    /// that.
    /// </summary>
    internal void CancelWith(CancellationToken ct)
    {
        if (stop == ct) return;
        stop = ct;
        raw.sqlite3_progress_handler(connection, StepsBetweenChecks, ct.CanBeCanceled ? _ => ct.IsCancellationRequested ? 1 : 0 : null, null);
    }

    /// <summary>Runs several statements without preparing them, for migrations.</summary>
    internal void Script(string sql) => Check(raw.sqlite3_exec(connection, sql));

    public void Dispose()
    {
        foreach (var statement in prepared.Values) statement.Statement.Dispose();
        connection.Dispose();
    }

    private void RunUndone(int before)
    {
        while (outcomeActions.Count > before) outcomeActions.Pop().Undone();
    }

    private bool Step(sqlite3_stmt statement)
    {
        var code = raw.sqlite3_step(statement);
        if (code == raw.SQLITE_INTERRUPT) stop.ThrowIfCancellationRequested();
        Check(code);
        return code == raw.SQLITE_ROW;
    }

    private void Check(int code) => SqliteException.ThrowExceptionForRC(code, connection);

    private sqlite3_stmt Bind(string sql, ReadOnlySpan<object?> arguments)
    {
        stop.ThrowIfCancellationRequested();
        if (!prepared.TryGetValue(sql, out var known))
        {
            if (prepared.Count == MaxPrepared) Forget();
            prepared.Add(sql, known = Prepare(sql));
        }

        known.LastUse = ++uses;
        if (arguments.Length < known.Parameters)
            throw new ArgumentException($"{known.Parameters} arguments are needed, not {arguments.Length}", nameof(arguments));
        for (var i = 0; i < known.Parameters; i++) Check(Bind(known.Statement, i + 1, arguments[i]));
        return known.Statement;
    }

    private int Bind(sqlite3_stmt statement, int parameter, object? value) => value switch
    {
        null => raw.sqlite3_bind_null(statement, parameter),
        long number => raw.sqlite3_bind_int64(statement, parameter, number),
        double number => raw.sqlite3_bind_double(statement, parameter, number),
        string { Length: 0 } => raw.sqlite3_bind_text(statement, parameter, ""),
        string characters => raw.sqlite3_bind_text(statement, parameter, Utf8(characters)),
        byte[] bytes => raw.sqlite3_bind_blob(statement, parameter, bytes),
        ReadOnlyMemory<byte> bytes => raw.sqlite3_bind_blob(statement, parameter, bytes.Span),
        _ => throw new ArgumentException($"a {value.GetType().Name} can't be bound", nameof(value)),
    };

    /// <summary>Encodes a text into a buffer, valid until the next call. SQLite copies it.</summary>
    private ReadOnlySpan<byte> Utf8(string characters)
    {
        var max = Encoding.UTF8.GetMaxByteCount(characters.Length);
        if (text.Length < max) text = new byte[max];
        return text.AsSpan(0, Encoding.UTF8.GetBytes(characters, text));
    }

    private Prepared Prepare(string sql)
    {
        Check(raw.sqlite3_prepare_v3(connection, sql, raw.SQLITE_PREPARE_PERSISTENT, out var statement, out var rest));
        if (rest.AsSpan().Trim().Length > 0) throw new ArgumentException("one statement at a time", nameof(sql));
        return new Prepared(statement, raw.sqlite3_bind_parameter_count(statement));
    }

    /// <summary>Disposes the least recently used statement.</summary>
    private void Forget()
    {
        var (sql, oldest) = prepared.MinBy(entry => entry.Value.LastUse);
        prepared.Remove(sql);
        oldest.Statement.Dispose();
    }

    private sealed class Prepared(sqlite3_stmt statement, int parameters)
    {
        public sqlite3_stmt Statement { get; } = statement;

        public int Parameters { get; } = parameters;

        public long LastUse { get; set; }
    }
}
