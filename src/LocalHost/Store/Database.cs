using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using NodeStash.Core.Storage;

namespace NodeStash.LocalHost.Store;

/// <summary>
/// One SQLite file in WAL mode with synchronous=FULL. All writes go through one connection on one thread; work that arrives together is
/// committed together and shares one fsync (group commit). Reads run on the caller's thread, each in a snapshot of its own.
/// </summary>
public sealed partial class Database : IDisposable
{
    private const int MaxQueued = 20_000;
    private const int MaxGroup = 512;
    private static readonly TimeSpan TellEvery = TimeSpan.FromMinutes(1);

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
    private long told;

    private Database(string path, Session writer, ILogger log)
    {
        this.path = path;
        this.writer = writer;
        this.log = log;
        checkpoints = new Checkpoints(path, writer, log);
        thread = new Thread(WriteLoop) { IsBackground = true, Name = "sqlite writer " + Path.GetFileName(path) };
        thread.Start();
    }

    /// <summary>Opens or creates the file and brings it to the newest version.</summary>
    /// <param name="path">The file; its folder must exist.</param>
    /// <param name="migrations">SQL scripts, oldest first; the file's <c>user_version</c> is the number that have run. Only ever append.</param>
    /// <param name="log">Told of failed commits.</param>
    /// <param name="prepare">Runs on the migrated file before anything else does, in a transaction; null for nothing.</param>
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
            // The cache holds the hot pages and not much more: after most commits SQLite walks all of its hash table (balancing had swapped pages by
            // way of a high number).
            writer.Execute("PRAGMA cache_size = -16384");
            // What a savepoint would restore stays in memory, where it else goes to a file beyond 64 KB.
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
    /// Runs <paramref name="work"/> inside the next group's transaction: if it throws, nothing of it stays and the others are not
    /// touched. Work that must not stay but has an answer calls <see cref="Session.Undo"/>. Completes only when the group is safely on disk.
    /// </summary>
    /// <param name="work">Runs on the writer thread, and again if it or another one of its group must not stay: no I/O of its own, no waiting, no
    /// effect but its answer and what <see cref="Session.Afterwards"/> takes back.</param>
    /// <param name="ct">Honoured until the work is queued; queued work is always run.</param>
    /// <exception cref="DatabaseUnavailableException">The disk is full or failing, too much is queued, or the database is closing. Nothing was
    /// written.</exception>
    public Task<T> Write<T>(Func<Session, T> work, CancellationToken ct = default)
    {
        ct.ThrowIfCancellationRequested();
        var item = new Work<T>(work);
        lock (queue)
        {
            if (isClosed) throw new DatabaseUnavailableException("the database is closing");
            if (queue.Count == MaxQueued) throw new DatabaseUnavailableException("more writes are waiting than the disk can take");
            queue.Enqueue(item);
            if (isIdle) Monitor.Pulse(queue);
        }

        return item.Task;
    }

    /// <summary>Runs <paramref name="read"/> at once on this thread, in one snapshot: what it sees does not change while it runs.</summary>
    /// <exception cref="DatabaseUnavailableException">The disk does not answer.</exception>
    public T Read<T>(Func<Session, T> read) => ReadOne(session =>
    {
        session.Execute("BEGIN");
        var answer = read(session);
        session.Execute("COMMIT");
        return answer;
    });

    /// <summary>As <see cref="Read"/>, for what may take long.</summary>
    /// <param name="read">Asks.</param>
    /// <param name="ct">Ends it, wherever it is.</param>
    /// <exception cref="DatabaseUnavailableException">The disk does not answer.</exception>
    public T ReadUntil<T>(Func<Session, T> read, CancellationToken ct) => Read(session =>
    {
        session.StopAt(ct);
        var answer = read(session);
        session.StopAt(CancellationToken.None);
        return answer;
    });

    /// <summary>As <see cref="Read"/>, for what is one statement: that is a snapshot by itself.</summary>
    /// <exception cref="DatabaseUnavailableException">The disk does not answer.</exception>
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
            // Who knows what state it is in: the next reader gets a new one.
            session?.Dispose();
            if (e is SqliteException problem && IsOfTheDisk(problem)) throw new DatabaseUnavailableException("the disk does not answer", e);
            throw;
        }
    }

    /// <summary>Refreshes the statistics that queries are planned by, as far as they are out of date. To be called now and then.</summary>
    public async Task Optimize()
    {
        await Write(session => session.Execute("PRAGMA optimize"));
        // Connections read statistics when they open.
        while (readers.TryTake(out var session)) session.Dispose();
    }

    /// <summary>Commits what is queued, then closes every connection.</summary>
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
        while (Await())
        {
            group.Clear();
            Take(group);
            Commit(group);
            checkpoints.AfterCommit();
        }
    }

    /// <summary>Waits for work; false where none is left and none will come.</summary>
    private bool Await()
    {
        lock (queue)
        {
            isIdle = true;
            while (queue.Count == 0 && !isClosed) Monitor.Wait(queue);
            isIdle = false;
            return queue.Count > 0;
        }
    }

    /// <summary>Moves what waits into the group, as much as fits; false where that is nothing.</summary>
    private bool Take(List<Work> group)
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
            // Savepoints keep a copy of every page that is written. Most work stays, so it is tried without; if any must not stay, all is done again with.
            writer.Begin();
            var stays = true;
            for (var i = 0; stays && (i < group.Count || Take(group)); i++) stays = group[i].Run(writer);

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
            TellFailed(e);
            var problem = new DatabaseUnavailableException("the disk did not take the write", e);
            foreach (var work in group) work.Fail(problem);
            return;
        }

        if (failedGroups > 0) WritesAgain(log, path, failedGroups);
        failedGroups = 0;
        foreach (var work in group) work.Complete();
    }

    /// <summary>Tells of the first failure and then once a minute, for what fails is tried again and again, and the log may be on the same disk.</summary>
    private void TellFailed(SqliteException e)
    {
        if (++failedGroups > 1 && TimeProvider.System.GetElapsedTime(told) < TellEvery) return;
        told = TimeProvider.System.GetTimestamp();
        GroupFailed(log, e, path, failedGroups);
    }

    /// <summary>Runs one piece of work in its savepoint. Lets only failures of the database itself through: those end the whole group.</summary>
    private void RunInSavepoint(Work work)
    {
        writer.Save();
        if (!work.Run(writer))
        {
            if (writer.InAutoCommit) throw work.DatabaseError ?? new SqliteException("the transaction was rolled back", 10);
            writer.Undo();
        }

        writer.Release();
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

    [LoggerMessage(Level = LogLevel.Error, Message = "{Path} does not take writes; they are refused until it does, {Count} groups of them so far")]
    private static partial void GroupFailed(ILogger logger, Exception e, string path, int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Path} takes writes again; {Count} groups of them were refused")]
    private static partial void WritesAgain(ILogger logger, string path, int count);

    [LoggerMessage(Level = LogLevel.Error, Message = "What {Path} did not take could not be rolled back")]
    private static partial void NotRolledBack(ILogger logger, Exception e, string path);

    private abstract class Work
    {
        public SqliteException? DatabaseError { get; protected set; }

        /// <summary>True if it ran to its end.</summary>
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

        [SuppressMessage("Design", "CA1031", Justification = "Whatever the work throws is the answer to its caller.")]
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
            if (problem is SqliteException e && IsOfTheDisk(e)) done.SetException(new DatabaseUnavailableException("the disk did not take the write", e));
            else if (problem is not null) done.SetException(problem);
            else done.SetResult(answer!);
        }

        public override void Fail(Exception e) => done.TrySetException(e);
    }
}

/// <summary>The database can't answer now: disk full, disk failing, overload or closing. Nothing was written; try again later.</summary>
public sealed class DatabaseUnavailableException(string message, Exception? inner = null) : StoreUnavailableException(message, inner);

/// <summary>The file was written by a newer version of the product than this one.</summary>
public sealed class NewerDatabaseException(string path, int found, int known)
    : Exception(string.Create(
        CultureInfo.InvariantCulture, $"{path} is of version {found}, this program knows up to {known}: use the newer program, or another data folder"));
