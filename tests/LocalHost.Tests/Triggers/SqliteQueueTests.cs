using Microsoft.Extensions.Time.Testing;
using NodeStash.Core.Jobs;
using NodeStash.LocalHost.Store;
using NodeStash.LocalHost.Triggers;
using NodeStash.Support.Contracts.Queues;
using NodeStash.Support.Databases;

namespace NodeStash.LocalHost.Tests.Triggers;

public sealed class SqliteQueueTests : QueueContract, IDisposable
{
    private readonly TemporaryDatabase file = new([]);
    private readonly FakeTimeProvider time = new();
    private readonly SqliteQueues queues;

    public SqliteQueueTests() => queues = new SqliteQueues(file.Database, time);

    protected override IJobQueues Sender => queues;

    protected override IMessages Messages => queues;

    [Fact]
    public async Task After_a_restart_what_was_begun_comes_at_once_and_what_was_delayed_when_it_is_due()
    {
        await queues.Send("work", "begun", TimeSpan.Zero, CancellationToken.None);
        await queues.Send("work", "delayed", TimeSpan.FromHours(1), CancellationToken.None);
        await queues.Take("work", 1, TimeSpan.FromMinutes(10), CancellationToken.None);

        file.Reopen();

        using var reopened = new SqliteQueues(file.Database, time);
        var begun = Assert.Single(await reopened.Take("work", 10, TimeSpan.FromDays(1), CancellationToken.None));
        Assert.Equal(("begun", 1), (begun.Text, begun.Attempts));
        time.Advance(TimeSpan.FromHours(1));
        Assert.Equal("delayed", Assert.Single(await reopened.Take("work", 10, TimeSpan.FromDays(1), CancellationToken.None)).Text);
    }

    [Fact]
    public async Task A_backlog_shows_what_is_left_and_what_is_poison()
    {
        await queues.Send("work", "good", TimeSpan.Zero, CancellationToken.None);
        await queues.Send("work", "bad", TimeSpan.Zero, CancellationToken.None);
        await queues.Poison("work", (await queues.Take("work", 10, TimeSpan.FromDays(1), CancellationToken.None))[1], CancellationToken.None);

        Assert.Equal([("work", 1), ("work-poison", 1)], queues.Backlog());
    }

    public void Dispose()
    {
        queues.Dispose();
        file.Dispose();
    }

    protected override Task Pass(TimeSpan time)
    {
        this.time.Advance(time);
        return Task.CompletedTask;
    }
}
