using Microsoft.Extensions.Logging.Abstractions;
using NodeStash.Core.Storage;
using NodeStash.LocalHost.Store;

namespace NodeStash.Support.Databases;

/// <summary>A database file in a folder of its own, removed in the end.</summary>
public sealed class TemporaryDatabase : IDisposable
{
    private readonly IReadOnlyList<RecordIndex> indexes;
    private readonly string folder = Directory.CreateTempSubdirectory("nodestash-").FullName;

    public TemporaryDatabase(IReadOnlyList<RecordIndex> indexes)
    {
        this.indexes = indexes;
        Database = Open();
    }

    public Database Database { get; private set; }

    public string File => Path.Combine(folder, "nodestash.db");

    /// <summary>Closes the file and opens it again, as a restart does.</summary>
    public void Reopen()
    {
        Database.Dispose();
        Database = Open();
    }

    public void Dispose()
    {
        Database.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private Database Open() => Schema.Open(File, indexes, NullLogger.Instance);
}
