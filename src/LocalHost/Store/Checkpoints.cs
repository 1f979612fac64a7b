using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace NodeStash.LocalHost.Store;

/// <summary>
/// Copies committed pages from the write-ahead log into the database file. Its own connection copies most pages while commits go on. The rest is copied
/// between two commits, because only then can SQLite restart the log.
/// </summary>
/// <param name="path">The file.</param>
/// <param name="writer">The connection that commits; only used in <see cref="AfterCommit"/>.</param>
/// <param name="log">Receives failures of copying.</param>
internal sealed partial class Checkpoints(string path, Session writer, ILogger log) : IDisposable
{
    /// <summary>
    /// Log size, in pages, at which copying begins: 32 MB. It allows twice the commits per second of SQLite's default, which copies hot pages repeatedly.
    /// </summary>
    private const long Pages = 8000;

    /// <summary>Log size, in pages, at which commits wait for the copy, so that the log stays bounded.</summary>
    private const long MaxPages = 4 * Pages;

    /// <summary>Number of pages that may be left to copy between two commits.</summary>
    private const long FewPages = 200;

    /// <summary>Maximum number of passes. Commits go on during a pass, so each pass has less to copy.</summary>
    private const int MaxPasses = 3;

    private static readonly TimeSpan LogInterval = TimeSpan.FromMinutes(1);

    private readonly Session session = Session.Open(path, isReadOnly: false);
    private Thread? copyThread;
    private long inLog;
    private long lastLogged;

    /// <summary>Starts or finishes a copy where needed. The writer thread calls it after each commit.</summary>
    public void AfterCommit()
    {
        inLog += writer.PagesWritten();
        if (copyThread is null && inLog >= Pages)
        {
            copyThread = new Thread(CopyPages) { IsBackground = true, Name = "checkpoint " + Path.GetFileName(path) };
            copyThread.Start();
        }

        if (inLog >= MaxPages) copyThread?.Join();
        if (copyThread is not { IsAlive: false }) return;

        // SQLite restarts the log at the next commit if all pages are copied and no reader uses it.
        if (Copy(writer) is not { InLog: < Pages } copied) return;
        (inLog, copyThread) = (copied.InLog, null);
    }

    public void Dispose()
    {
        copyThread?.Join();
        session.Dispose();
    }

    private void CopyPages()
    {
        for (var pass = 0; pass < MaxPasses && Copy(session) is { } copied && copied.InLog - copied.Copied > FewPages; pass++)
        {
        }
    }

    /// <summary>Copies pages from the log into the file.</summary>
    /// <returns>The pages in the log, and how many are copied; null if that failed. The pages are safe in the log.</returns>
    private (long InLog, long Copied)? Copy(Session from)
    {
        try
        {
            return from.One("PRAGMA wal_checkpoint(PASSIVE)", row => (row.GetInt64(1), row.GetInt64(2)));
        }
        catch (SqliteException e)
        {
            if (lastLogged != 0 && TimeProvider.System.GetElapsedTime(lastLogged) < LogInterval) return null;
            lastLogged = TimeProvider.System.GetTimestamp();
            NotCopied(log, e, path);
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "Committed pages could not be copied from the log into {Path}; they are safe in the log. Free disk space if the log grows")]
    private static partial void NotCopied(ILogger logger, Exception e, string path);
}
