using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace NodeStash.LocalHost.Store;

/// <summary>
/// Copies what commits have written to the log back into the file: nearly all of it beside the commits, through a connection of its own, so that none
/// of them waits for it; the rest between two commits, for only then does the log begin anew.
/// </summary>
/// <param name="path">The file.</param>
/// <param name="writer">The connection that commits; only used in <see cref="AfterCommit"/>.</param>
/// <param name="log">Told where the file does not take it.</param>
internal sealed partial class Checkpoints(string path, Session writer, ILogger log) : IDisposable
{
    /// <summary>32 MB: twice the commits per second of SQLite's own figure, by which hot pages are copied over and over.</summary>
    private const long Pages = 8000;

    /// <summary>Where commits write faster than the disk takes the copy, they wait for it here, so that the log does not grow without end.</summary>
    private const long MaxPages = 4 * Pages;

    /// <summary>So many are copied between two commits without much ado.</summary>
    private const long FewPages = 200;

    /// <summary>While one pass copies, commits go on; each pass has less to copy than the one before.</summary>
    private const int MaxPasses = 3;

    private static readonly TimeSpan TellEvery = TimeSpan.FromMinutes(1);

    private readonly Session session = Session.Open(path, isReadOnly: false);
    private Thread? copying;
    private long inLog;
    private long told;

    /// <summary>To be called by the writer's thread after each commit.</summary>
    public void AfterCommit()
    {
        inLog += writer.PagesWritten();
        if (copying is null && inLog >= Pages)
        {
            copying = new Thread(CopyMost) { IsBackground = true, Name = "checkpoint " + Path.GetFileName(path) };
            copying.Start();
        }

        if (inLog >= MaxPages) copying?.Join();
        if (copying is not { IsAlive: false }) return;

        // The log begins anew with the commit after the one that finds all of it copied and nobody reading it.
        if (Copy(writer) is not { InLog: < Pages } copied) return;
        (inLog, copying) = (copied.InLog, null);
    }

    public void Dispose()
    {
        copying?.Join();
        session.Dispose();
    }

    private void CopyMost()
    {
        for (var pass = 0; pass < MaxPasses && Copy(session) is { } copied && copied.InLog - copied.Copied > FewPages; pass++)
        {
        }
    }

    /// <returns>The pages in the log, and how many of them are in the file; null where that failed, which changes nothing: they are in the log.</returns>
    private (long InLog, long Copied)? Copy(Session from)
    {
        try
        {
            return from.One("PRAGMA wal_checkpoint(PASSIVE)", row => (row.GetInt64(1), row.GetInt64(2)));
        }
        catch (SqliteException e)
        {
            if (told != 0 && TimeProvider.System.GetElapsedTime(told) < TellEvery) return null;
            told = TimeProvider.System.GetTimestamp();
            NotCopied(log, e, path);
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "What was committed could not be copied from the log into {Path}; it stays in the log")]
    private static partial void NotCopied(ILogger logger, Exception e, string path);
}
