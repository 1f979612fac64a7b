using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using NodeStash.Core.Storage;

namespace NodeStash.LocalHost.Store;

/// <summary>
/// Reads and writes one SQLite file in WAL mode with synchronous=FULL. All writes use one connection on one thread; work that arrives together shares a
/// transaction and an fsync (group commit). Reads run on the caller's thread, each in its own snapshot.
/// </summary>
public sealed partial class Database : IDisposable
{
    private const int MaxQueued = 20_000;
    private const int MaxGroup = 512;
    private static readonly TimeSpan LogInterval = TimeSpan.FromMinutes(1);

    private readonly Queue<Work> queue = new();
    private readonly ConcurrentBag<Session> readers = [];
    private readonly Session writer;
    private readonly Checkpoints checkpoints;
    private readonly Thread thread;
    private readonly string path;
    private readonly ILogger log;
    private bool isClosed;
    private bool isIdle;
    private int failedGroups;
    private long lastLogged;

    private Database(string path, Session writer, ILogger log)
    {
        this.path = path;
        this.writer = writer;
        this.log = log;
        checkpoints = new Checkpoints(path, writer, log);
        thread = new Thread(WriteLoop) { IsBackground = true, Name = "sqlite writer " + Path.GetFileName(path) };
        thread.Start();
    }

    /// <summary>Opens or creates the file and runs missing migrations.</summary>
    /// <param name="path">The file; its folder must exist.</param>
    /// <param name="migrations">SQL scripts, oldest first; <c>user_version</c> is the number that have run. Only append.</param>
    /// <param name="log">Receives failed commits.</param>
    /// <param name="prepare">Runs first on the migrated file, in a transaction; null for nothing.</param>
    /// <exception cref="NewerDatabaseException">The file was written by a newer version of the product.</exception>
    [SuppressMessage("Reliability", "CA2000", Justification = "The connection belongs to the database that is returned.")]
    public static Database Open(string path, IReadOnlyList<string> migrations, ILogger log, Action<Session>? prepare = null)
    {
        var writer = Session.Open(path, isReadOnly: false);
        try
        {
            writer.Execute("PRAGMA journal_mode = WAL");
            writer.Execute("PRAGMA synchronous = FULL");
            writer.Execute("PRAGMA foreign_keys = ON");
            writer.Execute("PRAGMA wal_autocheckpoint = 0"); // Checkpoints does it
            // The cache holds the hot pages and not much more, because SQLite walks its whole hash table after most commits: balancing a tree swaps pages
            // by way of a high page number.
            writer.Execute("PRAGMA cache_size = -16384");
            // Keep the pages that a savepoint would restore in memory. By default they go to a file beyond 64 KB.
            writer.Execute("PRAGMA temp_store = MEMORY");
            Migrate(path, writer, migrations);
            writer.Begin();
            prepare?.Invoke(writer);
            writer.Commit();
        }
        catch
        {
            writer.Dispose();
            throw;
        }

        return new Database(path, writer, log);
    }

    /// <summary>
    /// Runs <paramref name="work"/> in the transaction of the next group. Completes when the group is on disk. If the work throws, it is undone and the
    /// rest of the group is not affected. Work that must be undone but has a result calls <see cref="Session.Undo"/>.
    /// </summary>
    /// <param name="work">Runs on the writer thread, and a second time if any work of the group is undone. So it must not do other I/O or wait, and its
    /// only effects are its result and those that <see cref="Session.AfterWork"/> undoes.</param>
    /// <param name="ct">Cancels work that is not queued yet. Queued work always runs.</param>
    /// <exception cref="DatabaseUnavailableException">The disk is full or failing, too much is queued, or the database is closing. Nothing was
    /// written.</exception>
    public Task<T> Write<T>(Func<Session, T> work, CancellationToken ct = default)
    {
        ct.ThrowIfCancellationRequested();
        var item = new Work<T>(work);
        lock (queue)
        {
            if (isClosed) throw new DatabaseUnavailableException("the database is closing");
            if (queue.Count == MaxQueued) throw new DatabaseUnavailableException("too many writes are waiting for the disk; retry later");
            queue.Enqueue(item);
            if (isIdle) Monitor.Pulse(queue);
        }

        return item.Task;
    }

    /// <summary>Runs <paramref name="read"/> on this thread in one snapshot, which no concurrent write changes.</summary>
    /// <exception cref="DatabaseUnavailableException">The disk can't be read.</exception>
    public T Read<T>(Func<Session, T> read) => ReadOne(session =>
    {
        session.Execute("BEGIN");
        var answer = read(session);
        session.Execute("COMMIT");
        return answer;
    });

    /// <summary>Reads as <see cref="Read"/> does, and can be cancelled while a statement runs.</summary>
    /// <param name="read">The read.</param>
    /// <param name="ct">Cancels the read at any step.</param>
    /// <exception cref="DatabaseUnavailableException">The disk can't be read.</exception>
    public T ReadUntil<T>(Func<Session, T> read, CancellationToken ct) => Read(session =>
    {
        session.CancelWith(ct);
        var answer = read(session);
        session.CancelWith(CancellationToken.None);
        return answer;
    });

    /// <summary>Reads by a single statement, which is a snapshot by itself.</summary>
    /// <exception cref="DatabaseUnavailableException">The disk can't be read.</exception>
    public T ReadOne<T>(Func<Session, T> read)
    {
        Session? session = null;
        try
        {
            if (!readers.TryTake(out session)) session = Session.Open(path, isReadOnly: true);
            var answer = read(session);
            readers.Add(session);
            return answer;
        }
        catch (Exception e)
        {
            // The state of the session is unknown, so the next reader opens a new one.
            session?.Dispose();
            if (e is SqliteException problem && IsOfTheDisk(problem)) throw new DatabaseUnavailableException("the database can't be read; check the disk", e);
            throw;
        }
    }

    /// <summary>Refreshes outdated statistics of the query planner. Call it from time to time.</summary>
    public async Task Optimize()
    {
        await Write(session => session.Execute("PRAGMA optimize"));
        // Connections read statistics when they open.
        while (readers.TryTake(out var session)) session.Dispose();
    }

    /// <summary>Commits queued work, then closes every connection.</summary>
    public void Dispose()
    {
        lock (queue)
        {
            if (isClosed) return;
            isClosed = true;
            Monitor.Pulse(queue);
        }

        thread.Join();
        while (readers.TryTake(out var session)) session.Dispose();
        checkpoints.Dispose();
        writer.Dispose();
    }

    private void WriteLoop()
    {
        var group = new List<Work>(MaxGroup);
        while (WaitForWork())
        {
            group.Clear();
            FillGroup(group);
            Commit(group);
            checkpoints.AfterCommit();
        }
    }

    /// <summary>Waits for work; false if the database is closed and the queue is empty.</summary>
    private bool WaitForWork()
    {
        lock (queue)
        {
            isIdle = true;
            while (queue.Count == 0 && !isClosed) Monitor.Wait(queue);
            isIdle = false;
            return queue.Count > 0;
        }
    }

    /// <summary>Moves queued work into the group, as much as fits; false if there was none.</summary>
    private bool FillGroup(List<Work> group)
    {
        lock (queue)
        {
            var before = group.Count;
            while (group.Count < MaxGroup && queue.TryDequeue(out var work)) group.Add(work);
            return group.Count > before;
        }
    }

    private void Commit(List<Work> group)
    {
        try
        {
            // Savepoints copy every written page. Most work succeeds, so the group runs without savepoints first, and again with them if any work fails.
            writer.Begin();
            var stays = true;
            for (var i = 0; stays && (i < group.Count || FillGroup(group)); i++) stays = group[i].Run(writer);

            if (!stays)
            {
                Rollback();
                writer.Begin();
                foreach (var work in group) RunInSavepoint(work);
            }

            writer.Commit();
        }
        catch (SqliteException e)
        {
            Rollback();
            LogFailure(e);
            var problem = new DatabaseUnavailableException("the disk refused the write; check its free space and health", e);
            foreach (var work in group) work.Fail(problem);
            return;
        }

        if (failedGroups > 0) WritesAgain(log, path, failedGroups);
        failedGroups = 0;
        foreach (var work in group) work.Complete();
    }

    /// <summary>Logs the first failure and then one a minute: callers retry often, and the log may be on the same disk.</summary>
    private void LogFailure(SqliteException e)
    {
        if (++failedGroups > 1 && TimeProvider.System.GetElapsedTime(lastLogged) < LogInterval) return;
        lastLogged = TimeProvider.System.GetTimestamp();
        GroupFailed(log, e, path, failedGroups);
    }

    /// <summary>Runs one piece of work in a savepoint. Throws only for failures of the database itself, which fail the whole group.</summary>
    private void RunInSavepoint(Work work)
    {
        writer.BeginSavepoint();
        if (!work.Run(writer))
        {
            if (writer.InAutoCommit) throw work.DatabaseError ?? new SqliteException("the transaction was rolled back", 10);
            writer.Undo();
        }

        writer.ReleaseSavepoint();
    }

    private void Rollback()
    {
        try
        {
            writer.Rollback();
        }
        catch (SqliteException e)
        {
            NotRolledBack(log, e, path);
        }
    }

    private static bool IsOfTheDisk(SqliteException e)
    {
        const int Busy = 5, IoError = 10, Full = 13, CannotOpen = 14;
        return (e.SqliteErrorCode & 0xFF) is Busy or IoError or Full or CannotOpen;
    }

    private static void Migrate(string path, Session writer, IReadOnlyList<string> migrations)
    {
        var version = (int)writer.One("PRAGMA user_version", row => row.GetInt64(0));
        if (version > migrations.Count) throw new NewerDatabaseException(path, version, migrations.Count);
        for (; version < migrations.Count; version++)
        {
            writer.Begin();
            writer.Script(migrations[version]);
            writer.Script(string.Create(CultureInfo.InvariantCulture, $"PRAGMA user_version = {version + 1}"));
            writer.Commit();
        }
    }

    [LoggerMessage(Level = LogLevel.Error,
        Message = "{Path} does not take writes; check the free space and health of the disk. {Count} groups of writes were refused so far")]
    private static partial void GroupFailed(ILogger logger, Exception e, string path, int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Path} takes writes again; {Count} groups of writes were refused")]
    private static partial void WritesAgain(ILogger logger, string path, int count);

    [LoggerMessage(Level = LogLevel.Error, Message = "A refused transaction of {Path} could not be rolled back")]
    private static partial void NotRolledBack(ILogger logger, Exception e, string path);

    private abstract class Work
    {
        public SqliteException? DatabaseError { get; protected set; }

        /// <summary>Runs the work; false if it threw.</summary>
        public abstract bool Run(Session session);

        public abstract void Complete();

        public abstract void Fail(Exception e);
    }

    private sealed class Work<T>(Func<Session, T> work) : Work
    {
        private readonly TaskCompletionSource<T> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private T? answer;
        private Exception? problem;

        public Task<T> Task => done.Task;

        [SuppressMessage("Design", "CA1031", Justification = "The caller gets any exception of the work.")]
        public override bool Run(Session session)
        {
            (problem, DatabaseError) = (null, null);
            try
            {
                answer = work(session);
                return true;
            }
            catch (Exception e)
            {
                problem = e;
                DatabaseError = e as SqliteException;
                return false;
            }
        }

        public override void Complete()
        {
            if (problem is SqliteException e && IsOfTheDisk(e))
                done.SetException(new DatabaseUnavailableException("the disk refused the write; check its free space and health", e));
            else if (problem is not null) done.SetException(problem);
            else done.SetResult(answer!);
        }

        public override void Fail(Exception e) => done.TrySetException(e);
    }
}

/// <summary>The database is unavailable: disk full, disk failing, overload or closing. Nothing was written; retry later.</summary>
public sealed class DatabaseUnavailableException(string message, Exception? inner = null) : StoreUnavailableException(message, inner);

/// <summary>The file was written by a newer version of the product.</summary>
public sealed class NewerDatabaseException(string path, int found, int known)
    : Exception(string.Create(
        CultureInfo.InvariantCulture, $"{path} is of version {found}, but this program supports up to {known}: use the newer program, or another data folder"));
