using System.Text;
using SQLitePCL;

namespace NodeStash.LocalHost.Store;

/// <summary>Reads the current row of a statement; valid until the next step. Columns count from 0. NULL reads as 0 for numbers.</summary>
public readonly struct Row
{
    private readonly sqlite3_stmt statement;

    internal Row(sqlite3_stmt statement) => this.statement = statement;

    public bool IsNull(int column) => raw.sqlite3_column_type(statement, column) == raw.SQLITE_NULL;

    public long GetInt64(int column) => raw.sqlite3_column_int64(statement, column);

    public int GetInt32(int column) => checked((int)GetInt64(column));

    public bool GetBoolean(int column) => GetInt64(column) != 0;

    /// <exception cref="InvalidOperationException">The column is NULL.</exception>
    public string GetString(int column) => GetText(column) ?? throw new InvalidOperationException($"column {column} is NULL");

    /// <summary>Reads a text; null for NULL.</summary>
    public string? GetText(int column)
    {
        var bytes = raw.sqlite3_column_blob(statement, column);
        return bytes.IsEmpty && IsNull(column) ? null : Encoding.UTF8.GetString(bytes);
    }

    /// <summary>Reads a copy of the bytes; empty for NULL.</summary>
    public byte[] GetBytes(int column) => raw.sqlite3_column_blob(statement, column).ToArray();

    /// <summary>Reads null, long, double, string or byte[], as stored.</summary>
    public object? GetValue(int column) => raw.sqlite3_column_type(statement, column) switch
    {
        raw.SQLITE_NULL => null,
        raw.SQLITE_INTEGER => GetInt64(column),
        raw.SQLITE_FLOAT => raw.sqlite3_column_double(statement, column),
        raw.SQLITE_TEXT => GetString(column),
        _ => GetBytes(column),
    };
}
