using System.Diagnostics.CodeAnalysis;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace NodeStash.LocalHost.Store;

/// <summary>
/// A connection with its prepared statements: an SQL text is compiled once, as long as it is among the <see cref="MaxPrepared"/>
/// used last. Used by one thread at a time.
/// </summary>
public sealed class Session : IDisposable
{
    /// <summary>The most statements kept compiled: far more than the product has, for the shapes of clients' queries are without number.</summary>
    public const int MaxPrepared = 300;

    private readonly SqliteConnection connection;
    private readonly Dictionary<string, Prepared> prepared = new(StringComparer.Ordinal);
    private long uses;

    internal Session(SqliteConnection connection) => this.connection = connection;

    /// <summary>True where no transaction is open, e.g. because SQLite rolled it back on a full disk.</summary>
    internal bool InAutoCommit => raw.sqlite3_get_autocommit(connection.Handle) != 0;

    /// <summary>Runs a statement; answers the number of rows it changed. Arguments are bound to ?1, ?2, … (null, long, double, string, byte[]).</summary>
    public int Execute(string sql, params ReadOnlySpan<object?> arguments) => Bind(sql, arguments).ExecuteNonQuery();

    /// <summary>The first row, mapped; default(T) where there is none.</summary>
    public T? One<T>(string sql, Func<SqliteDataReader, T> map, params ReadOnlySpan<object?> arguments)
    {
        using var reader = Bind(sql, arguments).ExecuteReader();
        return reader.Read() ? map(reader) : default;
    }

    /// <summary>Every row, mapped, in the order of the query.</summary>
    public List<T> All<T>(string sql, Func<SqliteDataReader, T> map, params ReadOnlySpan<object?> arguments)
    {
        using var reader = Bind(sql, arguments).ExecuteReader();
        var rows = new List<T>();
        while (reader.Read()) rows.Add(map(reader));
        return rows;
    }

    /// <summary>Takes back everything the running piece of work has written; the work may go on, write something else, or answer.</summary>
    public void Undo() => Execute("ROLLBACK TO work");

    /// <summary>Runs several statements at once, not prepared: for migrations.</summary>
    internal void Script(string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    public void Dispose()
    {
        foreach (var statement in prepared.Values) statement.Command.Dispose();
        connection.Dispose();
    }

    private SqliteCommand Bind(string sql, ReadOnlySpan<object?> arguments)
    {
        if (!prepared.TryGetValue(sql, out var statement))
        {
            if (prepared.Count == MaxPrepared) Forget();
            prepared.Add(sql, statement = new Prepared(Prepare(sql, arguments.Length)));
        }

        statement.LastUse = ++uses;
        for (var i = 0; i < arguments.Length; i++) statement.Command.Parameters[i].Value = arguments[i] ?? DBNull.Value;
        return statement.Command;
    }

    [SuppressMessage("Security", "CA2100", Justification = "Texts are the product's own; what a client says is bound.")]
    private SqliteCommand Prepare(string sql, int arguments)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        for (var i = 1; i <= arguments; i++) command.Parameters.Add(new SqliteParameter("?" + i, null));
        command.Prepare();
        return command;
    }

    /// <summary>Lets go of the statement that was not used for the longest time.</summary>
    private void Forget()
    {
        var (sql, oldest) = prepared.MinBy(entry => entry.Value.LastUse);
        prepared.Remove(sql);
        oldest.Command.Dispose();
    }

    private sealed class Prepared(SqliteCommand command)
    {
        public SqliteCommand Command { get; } = command;

        public long LastUse { get; set; }
    }
}
