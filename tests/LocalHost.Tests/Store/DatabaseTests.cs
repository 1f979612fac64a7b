using Microsoft.Extensions.Logging.Abstractions;
using NodeStash.LocalHost.Store;

namespace NodeStash.LocalHost.Tests.Store;

public sealed class DatabaseTests : IDisposable
{
    private static readonly string[] Tables =
        ["CREATE TABLE things (name TEXT); CREATE TABLE parents (id INTEGER PRIMARY KEY); CREATE TABLE children (parent REFERENCES parents "
            + "DEFERRABLE INITIALLY DEFERRED)"];

    private readonly string folder = Directory.CreateTempSubdirectory("nodestash-").FullName;
    private readonly Database database;

    public DatabaseTests() => database = Open();

    public void Dispose()
    {
        database.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Writes_that_arrive_together_share_a_transaction()
    {
        using var allQueued = new ManualResetEventSlim();
        var first = database.Write(session => Add(session, "first", allQueued));
        var second = database.Write(session =>
        {
            Add(session, "second");
            return (Own: Count(session), Committed: database.Read(Count));
        });
        allQueued.Set();
        await first;

        Assert.Equal((2, 0), await second);
        Assert.Equal(2, database.Read(Count));
    }

    [Fact]
    public async Task A_write_that_throws_leaves_nothing_and_does_not_touch_the_others()
    {
        using var allQueued = new ManualResetEventSlim();
        var before = database.Write(session => Add(session, "before", allQueued));
        var faulty = database.Write<int>(session =>
        {
            Add(session, "faulty");
            throw new InvalidOperationException("no");
        });
        var after = database.Write(session => Add(session, "after"));
        allQueued.Set();

        Assert.Equal("no", (await Assert.ThrowsAsync<InvalidOperationException>(() => faulty)).Message);
        await Task.WhenAll(before, after);
        Assert.Equal(["after", "before"], Names());
    }

    [Fact]
    public void A_read_without_end_ends_once_it_is_cancelled_and_the_next_one_is_answered()
    {
        using var stop = new CancellationTokenSource(TimeSpan.FromMilliseconds(50), TimeProvider.System);

        Assert.ThrowsAny<OperationCanceledException>(() => database.ReadUntil(
            session => session.One("WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers) SELECT count(*) FROM numbers",
                row => row.GetInt64(0)), stop.Token));

        Assert.Equal(0, database.Read(Count));
    }

    [Fact]
    public async Task A_write_can_take_back_what_it_wrote_and_still_answer()
    {
        var answer = await database.Write(session =>
        {
            Add(session, "taken back");
            session.Undo();
            Add(session, "kept");
            return 42;
        });

        Assert.Equal(42, answer);
        Assert.Equal(["kept"], Names());
    }

    [Fact]
    public async Task A_full_disk_is_unavailable_loses_nothing_and_passes()
    {
        await database.Write(session => Add(session, "before"));
        await database.Write(session => session.One("PRAGMA max_page_count = 1", row => row.GetInt64(0)));

        for (var i = 0; i < 3; i++)
        {
            await Assert.ThrowsAsync<DatabaseUnavailableException>(() => database.Write(session =>
            {
                Add(session, "lost");
                return Add(session, new string('x', 1_000_000));
            }));
            Assert.Equal(["before"], Names());
        }

        await database.Write(session => session.One("PRAGMA max_page_count = 1000000", row => row.GetInt64(0)));
        await database.Write(session => Add(session, "after"));
        Assert.Equal(["after", "before"], Names());
    }

    [Fact]
    public async Task A_commit_that_fails_leaves_nothing_of_its_group_and_the_next_one_works()
    {
        using var allQueued = new ManualResetEventSlim();
        var first = database.Write(session => Add(session, "first", allQueued));
        // Broken only when the transaction ends, as a failing disk is.
        var orphan = database.Write(session => session.Execute("INSERT INTO children (parent) VALUES (1)"));
        allQueued.Set();

        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => first);
        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => orphan);
        Assert.Empty(Names());

        await database.Write(session => Add(session, "next"));
        Assert.Equal(["next"], Names());
    }

    [Fact]
    public async Task A_reader_sees_one_state_while_it_reads()
    {
        await database.Write(session => Add(session, "first"));

        var (before, after) = await Task.Run(() => database.Read(session =>
        {
            var seen = Count(session);
            database.Write(writer => Add(writer, "second")).GetAwaiter().GetResult();
            return (seen, Count(session));
        }));

        Assert.Equal((1, 1), (before, after));
        Assert.Equal(2, database.Read(Count));
    }

    [Fact]
    public void A_read_that_throws_does_not_disturb_the_next()
    {
        for (var i = 0; i < 3; i++) Assert.Throws<InvalidOperationException>(() => database.Read<int>(_ => throw new InvalidOperationException()));

        Assert.Equal(0, database.Read(Count));
    }

    [Fact]
    public async Task Closing_commits_what_is_queued_and_takes_no_more()
    {
        using var closing = new ManualResetEventSlim();
        var queued = Enumerable.Range(0, 1_000).Select(i => database.Write(session => i == 0 ? Add(session, "0", closing) : Add(session, $"{i}"))).ToList();
        var closed = Task.Run(database.Dispose);
        closing.Set();
        await closed;

        await Task.WhenAll(queued);
        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => database.Write(session => Add(session, "late")));
        using var reopened = Open();
        Assert.Equal(1_000, reopened.Read(Count));
    }

    [Fact]
    public async Task More_writes_than_the_disk_can_take_are_refused_at_once()
    {
        using var allQueued = new ManualResetEventSlim();
        var isRunning = new TaskCompletionSource();
        var queued = new List<Task<int>>
        {
            database.Write(session =>
            {
                isRunning.TrySetResult();
                return Add(session, "first", allQueued);
            }),
        };
        await isRunning.Task;
        var refused = 0;
        for (var i = 0; i < 20_010; i++)
        {
            try
            {
                queued.Add(database.Write(session => 1));
            }
            catch (DatabaseUnavailableException)
            {
                refused++;
            }
        }

        allQueued.Set();
        await Task.WhenAll(queued);
        Assert.Equal(10, refused);
    }

    [Fact]
    public void More_shapes_of_statements_than_are_kept_compiled_all_answer()
    {
        for (var round = 0; round < 2; round++)
        {
            for (var i = 0L; i < Session.MaxPrepared * 2; i++)
            {
                var shape = i;
                Assert.Equal(shape * 2, database.Read(session => session.One($"SELECT ?1 + {shape}", row => row.GetInt64(0), shape)));
            }
        }
    }

    [Fact]
    public async Task The_log_begins_anew_however_fast_commits_follow_each_other()
    {
        const int Commits = 100, Bytes = 2_000_000;
        await database.Write(session => Add(session, "large"));

        for (var i = 0; i < Commits; i++) await database.Write(session => session.Execute("UPDATE things SET name = randomblob(?1)", (long)Bytes));

        Assert.InRange(new FileInfo(Path.Combine(folder, "test.db-wal")).Length, Bytes, 7 * Commits * Bytes / 10);
    }

    private Database Open() => Database.Open(Path.Combine(folder, "test.db"), Tables, NullLogger.Instance);

    private static int Add(Session session, string name, ManualResetEventSlim? await = null)
    {
        await?.Wait();
        return session.Execute("INSERT INTO things (name) VALUES (?1)", name);
    }

    private static long Count(Session session) => session.One("SELECT count(*) FROM things", row => row.GetInt64(0));

    private List<string> Names() => database.Read(session => session.All("SELECT name FROM things ORDER BY name", row => row.GetString(0)));
}
