using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using NodeStash.Core.Jobs;
using NodeStash.Core.Telemetry;
using NodeStash.LocalHost.Store;
using NodeStash.LocalHost.Triggers;
using NodeStash.Support;

namespace NodeStash.Functions.Webhooks.Tests;

/// <summary>What becomes of a job that fails every time.</summary>
public sealed class GivenUpJobTests
{
    public static TheoryData<string> Queues => [.. JobQueue.All];

    [Theory]
    [MemberData(nameof(Queues))]
    public async Task A_job_that_was_given_up_is_kept_as_it_was_sent_and_counted(string queue)
    {
        var counted = new ConcurrentBag<string?>();
        using var metrics = Count(counted);
        await using var crm = await Crm.Start();
        var queues = crm.Service<SqliteQueues>();

        await queues.Send(queue + JobQueue.PoisonSuffix, """{"Version":1}""", TimeSpan.Zero, CancellationToken.None);

        await Eventually.True(() => queues.Backlog() is [{ Messages: 1 } only] && only.Name == queue + JobQueue.GivenUpSuffix, "the job where it is kept");
        var kept = Assert.Single(await queues.Take(queue + JobQueue.GivenUpSuffix, 10, TimeSpan.FromMinutes(1), CancellationToken.None));
        Assert.Equal("""{"Version":1}""", kept.Text);
        await Eventually.True(() => counted.Contains(queue), "the count");
    }

    [Fact]
    public async Task A_job_that_fails_five_times_is_kept()
    {
        await using var crm = await Crm.Start();
        var queues = crm.Service<SqliteQueues>();

        await queues.Send(JobQueue.Redeliveries, "no job at all", TimeSpan.Zero, CancellationToken.None);

        await Eventually.True(
            () =>
            {
                crm.Time.Advance(QueueTriggers.RetryAfter);
                return queues.Backlog() is [{ Name: JobQueue.Redeliveries + JobQueue.GivenUpSuffix, Messages: 1 }];
            },
            "the job where it is kept");
    }

    private static MeterListener Count(ConcurrentBag<string?> queues)
    {
        var listener = new MeterListener();
        listener.EnableMeasurementEvents(Instruments.JobsGivenUp);
        listener.SetMeasurementEventCallback<long>((_, _, tags, _) => queues.Add(tags[0].Value as string));
        listener.Start();
        return listener;
    }
}
