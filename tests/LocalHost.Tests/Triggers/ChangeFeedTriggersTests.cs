using System.Threading.Channels;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using NodeStash.LocalHost.Triggers;
using NodeStash.Support.Clocks;

namespace NodeStash.LocalHost.Tests.Triggers;

public class ChangeFeedTriggersTests
{
    private readonly Seen seen = new();

    [Fact]
    public async Task Changes_arrive_in_order_in_batches_and_move_the_lease()
    {
        var feed = new ListFeed();
        feed.Add("a", "b", "c");
        using var host = await Start(feed, typeof(Indexing));
        Assert.Equal("a b", await seen.Next());
        Assert.Equal("c", await seen.Next());
        feed.Add("d");
        Assert.Equal("d", await seen.Next());
        await host.StopAsync();
        Assert.Equal(4, feed.Checkpoints["search"]);
    }

    [Fact]
    public async Task A_batch_is_a_hundred_and_a_lease_the_name_where_the_trigger_says_nothing()
    {
        var feed = new ListFeed();
        feed.Add([.. Enumerable.Range(0, 101).Select(i => (object)$"{i}")]);
        using var host = await Start(feed, typeof(Delivery));
        Assert.EndsWith(" 99", await seen.Next(), StringComparison.Ordinal);
        Assert.Equal("100", await seen.Next());
        await host.StopAsync();
        Assert.Equal(101, feed.Checkpoints["delivery"]);
    }

    [Fact]
    public async Task A_function_goes_on_where_it_was_before_a_restart()
    {
        var feed = new ListFeed { Checkpoints = { ["search"] = 2 } };
        feed.Add("a", "b", "c");
        using var host = await Start(feed, typeof(Indexing));
        Assert.Equal("c", await seen.Next());
    }

    [Fact]
    public async Task A_batch_that_fails_is_given_again_until_it_succeeds_and_nothing_is_skipped()
    {
        var feed = new ListFeed();
        feed.Add("a", "b", "c");
        seen.Failures = 5;
        using var host = await Start(feed, new JumpingClock(DateTimeOffset.UnixEpoch), typeof(Indexing));
        for (var attempt = 1; attempt <= 5; attempt++) Assert.Equal("failed a b at 0", await seen.Next());
        Assert.Equal("a b", await seen.Next());
        Assert.Equal("c", await seen.Next());
    }

    [Fact]
    public async Task Retries_wait_a_tenth_of_a_second_then_twice_as_long_each_time_up_to_thirty_seconds()
    {
        var feed = new ListFeed();
        feed.Add("a");
        seen.Failures = 12;
        var clock = new JumpingClock(DateTimeOffset.UnixEpoch);
        using var host = await Start(feed, clock, typeof(Indexing));
        while (await seen.Next() != "a")
        {
        }

        Assert.Equal([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30, 30], clock.Waits.Take(12).Select(wait => wait.TotalSeconds));
    }

    [Fact]
    public async Task A_function_that_fails_holds_up_no_other()
    {
        var feed = new ListFeed();
        feed.Add("a", "b");
        seen.Failures = int.MaxValue;
        using var host = await Start(feed, typeof(Indexing), typeof(Delivery));
        var answers = new HashSet<string>();
        while (answers.Count < 2) answers.Add(await seen.Next());
        Assert.Equal(["a b", "failed a b at 0"], answers.Order());
    }

    [Fact]
    public async Task A_feed_that_fails_is_read_again()
    {
        var feed = new ListFeed { Outage = 3 };
        feed.Add("a");
        using var host = await Start(feed, typeof(Indexing));
        Assert.Equal("a", await seen.Next());
    }

    [Fact]
    public async Task A_feed_without_signals_is_polled()
    {
        var feed = new ListFeed { Signals = false };
        var clock = new JumpingClock(DateTimeOffset.UnixEpoch);
        using var host = await Start(feed, clock, typeof(Delivery));
        await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        feed.Add("a");
        Assert.Equal("a", await seen.Next());
        Assert.Equal(TimeSpan.FromSeconds(5), clock.Waits.First());
    }

    [Fact]
    public async Task A_batch_that_ends_while_the_process_stops_is_not_given_again()
    {
        var feed = new ListFeed();
        feed.Add("a", "b");
        using var host = await Start(feed, typeof(Stubborn));
        Assert.Equal("started", await seen.Next());
        await host.StopAsync();
        Assert.Equal(2, feed.Checkpoints["stubborn"]);
    }

    [Fact]
    public async Task Two_functions_may_not_share_a_lease()
    {
        var refusal = await Assert.ThrowsAsync<InvalidFunctionsException>(() => Start(new ListFeed(), typeof(Indexing), typeof(Rival)));
        Assert.Equal(["Indexing.Run and Rival.Run share the lease \"search\""], refusal.Errors);
    }

    private Task<IHost> Start(ListFeed feed, params Type[] classes) => Start(feed, TimeProvider.System, classes);

    private async Task<IHost> Start(ListFeed feed, TimeProvider clock, params Type[] classes)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddSingleton(FunctionCatalog.Of(classes)).AddSingleton<IChangeFeed>(feed).AddSingleton(clock).AddSingleton(seen)
            .AddHostedService<ChangeFeedTriggers>();
        var host = builder.Build();
        await host.StartAsync();
        return host;
    }

    public sealed class Seen
    {
        private readonly Channel<string> batches = Channel.CreateUnbounded<string>();

        /// <summary>How many more batches the failing function is to refuse.</summary>
        public int Failures { get; set; }

        public void Add(string batch) => batches.Writer.TryWrite(batch);

        public async Task<string> Next() => await batches.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System);
    }

    public sealed class Indexing(Seen seen, IChangeFeed feed)
    {
        [Function("indexing")]
        public async Task Run([CosmosDBTrigger("db", "crm", LeaseContainerPrefix = "search", MaxItemsPerInvocation = 2)] IReadOnlyList<string> changes)
        {
            var batch = string.Join(' ', changes);
            if (seen.Failures-- > 0)
            {
                seen.Add($"failed {batch} at {await feed.Checkpoint("search", default)}");
                throw new InvalidOperationException("the index is away");
            }

            seen.Add(batch);
        }
    }

    public sealed class Delivery(Seen seen)
    {
        [Function("delivery")]
        public void Run([CosmosDBTrigger("db", "crm")] IReadOnlyList<string> changes) => seen.Add(string.Join(' ', changes));
    }

    public sealed class Stubborn(Seen seen)
    {
        [Function("stubborn")]
        public async Task Run([CosmosDBTrigger("db", "crm")] IReadOnlyList<object> changes, CancellationToken ct)
        {
            seen.Add("started");
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Assert.Equal(2, changes.Count);
        }
    }

    public static class Rival
    {
        [Function("rival")]
        public static void Run([CosmosDBTrigger("db", "crm", LeaseContainerPrefix = "search")] IReadOnlyList<string> changes) => _ = changes;
    }
}
