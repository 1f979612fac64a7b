using System.Text;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace NodeStash.LocalHost.Store;

/// <summary>
/// A connection with its prepared statements: an SQL text is compiled once, as long as it is among the <see cref="MaxPrepared"/>
/// used last. Used by one thread at a time. It calls SQLite itself: commands, parameters and readers of ADO.NET cost more than a point
/// read does.
/// </summary>
public sealed class Session : IDisposable
{
    /// <summary>The most statements kept compiled: far more than the product has, for the shapes of clients' queries are without number.</summary>
    public const int MaxPrepared = 300;

    private const int SQLITE_DBSTATUS_CACHE_WRITE = 9;

    private const int SQLITE_STMTSTATUS_REPREPARE = 5;

    /// <summary>The query planner's stability guarantee.</summary>
    private const int SQLITE_DBCONFIG_ENABLE_QPSG = 1007;

    private const int BusyTimeoutMilliseconds = 10_000;

    /// <summary>SQLite looks so often whether it is to go on: every so many steps of its machine, of which one reads a row or a piece of an index.</summary>
    private const int StepsBetweenLooks = 500;

    private readonly sqlite3 connection;
    private readonly Dictionary<string, Prepared> prepared = new(StringComparer.Ordinal);
    private byte[] text = new byte[1024];
    private long uses;
    private readonly Stack<(Action Kept, Action Undone)> ends = new();
    private int endsBeforeWork;
    private bool isSaved;
    private CancellationToken stop;

    private Session(sqlite3 connection) => this.connection = connection;

    /// <summary>True where no transaction is open, e.g. because SQLite rolled it back on a full disk.</summary>
    internal bool InAutoCommit => raw.sqlite3_get_autocommit(connection) != 0;

    /// <summary>How often SQLite has compiled a statement again that was compiled already; only a changed schema or new statistics are a reason.</summary>
    public int Recompilations => prepared.Values.Sum(known => raw.sqlite3_stmt_status(known.Statement, SQLITE_STMTSTATUS_REPREPARE, resetFlg: 0));

    /// <summary>How many pages were written to the file or its log since this was asked last.</summary>
    internal int PagesWritten()
    {
        Check(raw.sqlite3_db_status(connection, SQLITE_DBSTATUS_CACHE_WRITE, out var pages, out _, resetFlg: 1));
        return pages;
    }

    /// <param name="path">The file.</param>
    /// <param name="isReadOnly">Else it is made where it is missing.</param>
    /// <exception cref="SqliteException">It can't be opened.</exception>
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
            // Plans are made from the text alone. Else SQLite looks at what is bound to a LIMIT, or beside a partial index, and compiles the
            // statement anew each time.
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
    /// Runs a statement; answers the number of rows it changed. Arguments are bound to ?1, ?2, … (null, long, double, string, byte[], ReadOnlyMemory
    /// of bytes).
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

    /// <summary>Inserts one row; answers its rowid.</summary>
    public long Insert(string sql, params ReadOnlySpan<object?> arguments)
    {
        Execute(sql, arguments);
        return raw.sqlite3_last_insert_rowid(connection);
    }

    /// <summary>The first row, mapped; default(T) where there is none.</summary>
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

    /// <summary>Every row, mapped, in the order of the query.</summary>
    public List<T> All<T>(string sql, Func<Row, T> map, params ReadOnlySpan<object?> arguments)
    {
        var rows = new List<T>();
        Each(sql, row => rows.Add(map(row)), arguments);
        return rows;
    }

    /// <summary>Hands over every row, in the order of the query.</summary>
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
    /// Takes back everything the running piece of work has written; the work may go on, write something else, or answer. Where there is no
    /// savepoint to go back to, this ends the work with an exception that is not its own to catch, and it is run again in one.
    /// </summary>
    public void Undo()
    {
        if (!isSaved) throw new InvalidOperationException("this work is run again in a savepoint");
        Execute("ROLLBACK TO work");
        TakeBack(endsBeforeWork);
    }

    /// <summary>For what is kept in memory beside the file, and was changed with it.</summary>
    /// <param name="kept">Done once what the running piece of work has written is on disk.</param>
    /// <param name="undone">Done if it does not stay: puts back what was there, the last change first.</param>
    internal void Afterwards(Action kept, Action undone) => ends.Push((kept, undone));

    /// <summary>Begins the transaction of a group.</summary>
    internal void Begin() => Execute("BEGIN IMMEDIATE");

    /// <summary>Puts on disk what was written since <see cref="Begin"/>.</summary>
    internal void Commit()
    {
        Execute("COMMIT");
        while (ends.TryPop(out var end)) end.Kept();
    }

    /// <summary>Takes back everything since <see cref="Begin"/>.</summary>
    internal void Rollback()
    {
        isSaved = false;
        TakeBack(0);
        // SQLite rolls back by itself where it must.
        if (!InAutoCommit) Execute("ROLLBACK");
    }

    /// <summary>Makes the savepoint that <see cref="Undo"/> goes back to.</summary>
    internal void Save()
    {
        Execute("SAVEPOINT work");
        (isSaved, endsBeforeWork) = (true, ends.Count);
    }

    /// <summary>Lets go of the savepoint; what was written since stays.</summary>
    internal void Release()
    {
        isSaved = false;
        Execute("RELEASE work");
    }

    /// <summary>
    /// Ends what runs, and lets nothing begin, with an <see cref="OperationCanceledException"/> once the token is cancelled; from then on the session
    /// is good for nothing else.
    /// </summary>
    internal void StopAt(CancellationToken ct)
    {
        if (stop == ct) return;
        stop = ct;
        raw.sqlite3_progress_handler(connection, StepsBetweenLooks, ct.CanBeCanceled ? _ => ct.IsCancellationRequested ? 1 : 0 : null, null);
    }

    /// <summary>Runs several statements at once, not prepared: for migrations.</summary>
    internal void Script(string sql) => Check(raw.sqlite3_exec(connection, sql));

    public void Dispose()
    {
        foreach (var statement in prepared.Values) statement.Statement.Dispose();
        connection.Dispose();
    }

    private void TakeBack(int before)
    {
        while (ends.Count > before) ends.Pop().Undone();
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

    /// <summary>Good until it is called again: SQLite takes a copy.</summary>
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

    /// <summary>Lets go of the statement that was not used for the longest time.</summary>
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
