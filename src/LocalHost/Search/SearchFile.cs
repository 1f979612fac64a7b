using Microsoft.Extensions.Logging;
using NodeStash.LocalHost.Store;

namespace NodeStash.LocalHost.Search;

/// <summary>The tables of <c>search.db</c>. All of it can be built anew from the store.</summary>
public static class SearchFile
{
    /// <summary>SQL scripts, oldest first. Only ever append: files out there have run the ones before.</summary>
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
    ];

    /// <summary>Opens or creates the file.</summary>
    /// <param name="path">The file; its folder must exist.</param>
    /// <param name="log">Told of failed commits.</param>
    /// <exception cref="NewerDatabaseException">The file was written by a newer version of the product.</exception>
    public static Database Open(string path, ILogger log) => Database.Open(path, Migrations, log);
}
