using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using NodeStash.Core.Search;
using NodeStash.LocalHost.Store;

namespace NodeStash.LocalHost.Search;

/// <summary>
/// Opens <c>search.db</c>. Its data can be rebuilt from the store, so a damaged or missing file is deleted and created again. Calls in progress then fail
/// with an exception that asks to retry.
/// </summary>
public sealed partial class SearchFile : IDisposable
{
    private static readonly string[] Suffixes = ["", "-wal", "-shm"];

    private readonly Lock gate = new();
    private readonly string path;
    private readonly ILogger log;
    private volatile Opened? opened;
    private bool isClosed;

    private SearchFile(string path, ILogger log) => (this.path, this.log) = (path, log);

    /// <summary>SQL scripts, oldest first. Only append: existing files have run the earlier ones.</summary>
    public static IReadOnlyList<string> Migrations { get; } =
    [
        """
        CREATE TABLE partitions (
            key TEXT PRIMARY KEY,
            current TEXT,           -- the build that is searched; null while the first is under way
            building TEXT,          -- the build under way; null for none
            settings TEXT NOT NULL  -- what the current build was made with
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE sets ( -- the records of one type in one build of a partition's index
            number INTEGER PRIMARY KEY AUTOINCREMENT, partition TEXT NOT NULL, build TEXT NOT NULL, type TEXT NOT NULL
        ) STRICT;
        CREATE UNIQUE INDEX sets_by_name ON sets (partition, build, type);

        CREATE TABLE documents (
            number INTEGER PRIMARY KEY, -- the rowid of its terms
            of_set INTEGER NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL,
            removed_at INTEGER          -- ticks; null for one that is there
        ) STRICT;
        CREATE UNIQUE INDEX documents_by_id ON documents (of_set, id);
        CREATE INDEX documents_removed ON documents (removed_at) WHERE removed_at IS NOT NULL;

        CREATE TABLE words (of_set INTEGER NOT NULL, word TEXT NOT NULL, PRIMARY KEY (of_set, word)) STRICT, WITHOUT ROWID;

        -- Terms as Terms.cs makes them: separated by spaces, all in lower case, each beginning with the number of its set. Nothing but a space parts them.
        CREATE VIRTUAL TABLE terms USING fts5 (
            name, detail, body, parts, content = '', contentless_delete = 1, detail = column, tokenize = "ascii tokenchars '!#$%&()*+,-./:;<=>?@[\]^_`{|}~'"
        );
        """,
        """
        -- Statistics of a file that was new: by them FTS5 read all of its index to delete a piece of it.
        ANALYZE sqlite_schema;
        DELETE FROM sqlite_stat1;
        ANALYZE sqlite_schema;
        """,
        """
        CREATE TABLE knows_all (since INTEGER PRIMARY KEY) STRICT; -- a row once every data set there is has a partition here, in ticks
        """,
    ];

    /// <summary>Opens or creates the file.</summary>
    /// <param name="path">The file; its folder must exist.</param>
    /// <param name="log">Receives failed commits and damage.</param>
    /// <exception cref="NewerDatabaseException">The file was written by a newer version of the product.</exception>
    public static SearchFile Open(string path, ILogger log)
    {
        var file = new SearchFile(path, log);
        file.opened = file.OpenFile();
        return file;
    }

    /// <summary>Reads in one snapshot; <paramref name="ct"/> cancels it at any step.</summary>
    /// <exception cref="SearchUnavailableException">The file was damaged, and is created again.</exception>
    internal T Read<T>(Func<Session, Vocabularies, T> read, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        var used = GetOpened();
        try
        {
            return used.Database.ReadUntil(session => read(session, used.Vocabularies), ct);
        }
        catch (Exception e) when (IsDamage(e) || (e is SqliteException && opened != used))
        {
            throw RemoveDamaged(used, e);
        }
    }

    /// <summary>Writes as <see cref="Database.Write"/> does.</summary>
    /// <exception cref="SearchUnavailableException">The file was damaged, and is created again.</exception>
    internal async Task<T> Write<T>(Func<Session, Vocabularies, T> write, CancellationToken ct)
    {
        var used = GetOpened();
        try
        {
            return await used.Database.Write(session => write(session, used.Vocabularies), ct);
        }
        catch (Exception e) when (IsDamage(e) || (e is SqliteException && opened != used))
        {
            throw RemoveDamaged(used, e);
        }
    }

    /// <summary>Creates the file again if somebody has deleted it.</summary>
    internal void RecreateIfMissing()
    {
        if (opened is { } used && !File.Exists(path)) _ = RemoveDamaged(used, new FileNotFoundException("the file is missing", path));
    }

    public void Dispose()
    {
        lock (gate)
        {
            isClosed = true;
            opened?.Database.Dispose();
        }
    }

    private Opened GetOpened()
    {
        if (opened is { } used) return used;
        lock (gate)
        {
            try
            {
                return opened ??= isClosed ? throw new SearchUnavailableException("the search index is closing") : OpenFile();
            }
            catch (SqliteException e)
            {
                throw new SearchUnavailableException("the file of the search index can't be created; check its folder and the free space", e);
            }
        }
    }

    private Opened OpenFile()
    {
        try
        {
            return OpenDatabase();
        }
        catch (SqliteException e) when (IsDamage(e))
        {
            Damaged(log, path, e.Message);
            Delete();
            return OpenDatabase();
        }

        Opened OpenDatabase()
        {
            var database = Database.Open(path, Migrations, log);
            return new Opened(database,
                new Vocabularies(set => database.ReadOne(session => session.All("SELECT word FROM words WHERE of_set = ?1", row => row.GetString(0), set))));
        }
    }

    private SearchUnavailableException RemoveDamaged(Opened damaged, Exception e)
    {
        lock (gate)
        {
            if (opened == damaged && !isClosed)
            {
                Damaged(log, path, e.Message);
                damaged.Database.Dispose();
                Delete();
                opened = null;
            }
        }

        return new SearchUnavailableException("the search index was damaged and is being rebuilt; retry later", e);
    }

    private void Delete()
    {
        foreach (var suffix in Suffixes) File.Delete(path + suffix);
    }

    private static bool IsDamage(Exception e)
    {
        const int Corrupt = 11, NotADatabase = 26;
        return (e as SqliteException ?? e.InnerException as SqliteException) is { } problem && (problem.SqliteErrorCode & 0xFF) is Corrupt or NotADatabase;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Path} is damaged or missing; deleting and rebuilding it: {Reason}")]
    private static partial void Damaged(ILogger logger, string path, string reason);

    /// <summary>The open file with its vocabularies.</summary>
    /// <param name="Database">The database.</param>
    /// <param name="Vocabularies">The words of the file.</param>
    private sealed record Opened(Database Database, Vocabularies Vocabularies);
}
