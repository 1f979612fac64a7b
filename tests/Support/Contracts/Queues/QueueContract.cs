using System.Threading.Channels;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using NodeStash.Core.Jobs;
using NodeStash.LocalHost.Triggers;

namespace NodeStash.Support.Contracts.Queues;

/// <summary>What every adapter of the queues keeps: what is sent (IJobQueues) arrives where it is taken (IMessages), and at a function.</summary>
public abstract class QueueContract
{
    private const string Queue = "work";

    private static readonly TimeSpan never = TimeSpan.FromDays(1);

    /// <summary>A time that a test can let pass, and in which it can't pass by itself.</summary>
    protected static TimeSpan Soon => TimeSpan.FromSeconds(5);

    protected abstract IJobQueues Sender { get; }

    protected abstract IMessages Messages { get; }

    /// <summary>Lets a time pass.</summary>
    protected abstract Task Pass(TimeSpan time);

    [Fact]
    public async Task A_check_passes_and_sends_nothing()
    {
        await Sender.Check(CancellationToken.None);

        Assert.Empty(await Take(10));
        foreach (var queue in JobQueue.All) Assert.Empty(await Taken(queue));

        async Task<IReadOnlyList<Message>> Taken(string queue)
        {
            await Sender.Send(queue, "mine", TimeSpan.Zero, CancellationToken.None);
            var taken = await Messages.Take(queue, 10, never, CancellationToken.None);
            return [.. taken.Where(message => message.Text != "mine")];
        }
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("{\"name\":\"Zoë & Søren <café> 🎈\\u0000\\n\"}")]
    public async Task A_message_arrives_as_it_was_sent(string text)
    {
        await Send(text);
        var message = Assert.Single(await Take(10));
        Assert.Equal((text, 1), (message.Text, message.Attempts));
    }

    [Fact]
    public async Task The_largest_message_is_taken_and_a_larger_one_is_refused_before_it_is_sent()
    {
        var largest = new string('ß', JobQueue.MaxBytes / 2);
        await Assert.ThrowsAsync<ArgumentException>(() => Send(largest + "a"));

        await Send(largest);

        Assert.Equal(largest, Assert.Single(await Take(10)).Text);
    }

    [Fact]
    public async Task Messages_that_wait_longest_are_taken_first_and_each_by_one_of_many()
    {
        foreach (var i in Enumerable.Range(0, 40)) await Send($"{i}");

        var first = await Take(1);
        var taken = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => Take(5))));

        Assert.Equal("0", first[0].Text);
        Assert.Equal(Enumerable.Range(0, 40).Select(i => $"{i}").Order(),
            taken.SelectMany(messages => messages).Concat(first).Concat(await Take(32)).Select(message => message.Text).Order());
    }

    [Fact]
    public async Task A_delayed_message_comes_when_it_is_due()
    {
        await Sender.Send(Queue, "later", Soon, CancellationToken.None);
        Assert.Empty(await Take(10));

        await Pass(Soon);

        Assert.Equal("later", (await TakeOne()).Text);
    }

    [Fact]
    public async Task A_message_of_one_who_died_comes_again_and_counts_its_tries()
    {
        await Send("again");
        Assert.Single(await Take(10, Soon));
        Assert.Empty(await Take(10));

        await Pass(Soon);

        var message = await TakeOne();
        Assert.Equal(("again", 2), (message.Text, message.Attempts));
    }

    [Fact]
    public async Task What_is_done_is_gone()
    {
        await Send("done");
        var message = Assert.Single(await Take(10, Soon));
        await Messages.Remove(Queue, message, CancellationToken.None);

        await Pass(Soon);

        Assert.Empty(await Take(10));
    }

    [Fact]
    public async Task Who_was_too_late_removes_and_returns_nothing()
    {
        await Send("slow");
        var slow = Assert.Single(await Take(10, Soon));
        await Pass(Soon);
        var taken = await TakeOne();

        await Messages.Remove(Queue, slow, CancellationToken.None);
        await Messages.Return(Queue, slow, TimeSpan.Zero, CancellationToken.None);
        Assert.Empty(await Take(10));

        await Messages.Return(Queue, taken, TimeSpan.Zero, CancellationToken.None);
        Assert.Equal("slow", (await TakeOne()).Text);
    }

    [Fact]
    public async Task Who_waits_is_told_of_a_message()
    {
        var told = Messages.Changed(Queue, CancellationToken.None);
        await Send("news");
        await told.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System);
        Assert.Equal("news", (await TakeOne()).Text);
    }

    [Fact]
    public async Task A_poisoned_message_is_in_the_poison_queue_and_nowhere_else()
    {
        await Send("bad");
        await Messages.Poison(Queue, Assert.Single(await Take(10, Soon)), CancellationToken.None);

        await Pass(Soon);

        Assert.Empty(await Take(10));
        Assert.Equal("bad", Assert.Single(await Messages.Take(Queue + JobQueue.PoisonSuffix, 10, never, CancellationToken.None)).Text);
    }

    [Fact]
    public async Task A_function_is_given_each_message_sent_by_many_and_none_is_left()
    {
        var runs = Channel.CreateUnbounded<string>();
        using var host = await Start<Recording>(runs.Writer);

        await Task.WhenAll(Enumerable.Range(0, 60).Select(i => Task.Run(() => Send($"{i}"))));

        var seen = new HashSet<string>();
        while (seen.Count < 60) seen.Add(await Next(runs));
        await host.StopAsync();
        Assert.Empty(await Take(10));
    }

    [Fact]
    public async Task A_message_whose_function_fails_comes_again_five_times_in_all_and_then_is_poison()
    {
        var runs = Channel.CreateUnbounded<string>();
        using var host = await Start<Failing>(runs.Writer);
        await Send("bad");

        for (var tries = 1; tries <= QueueTriggers.MaxAttempts; tries++) Assert.Equal("bad", await Next(runs, afterFailure: tries > 1));

        var poison = await Eventually.Get(
            async () => (await Messages.Take(Queue + JobQueue.PoisonSuffix, 1, never, CancellationToken.None)).SingleOrDefault(), "the poison message");
        await host.StopAsync();
        Assert.Equal("bad", poison.Text);
        Assert.False(runs.Reader.TryRead(out _));
    }

    [Fact]
    public async Task A_host_that_stops_gives_back_what_it_has_begun()
    {
        var runs = Channel.CreateUnbounded<string>();
        using (var host = await Start<Endless>(runs.Writer))
        {
            await Send("long");
            Assert.Equal("long", await Next(runs));
            await host.StopAsync();
        }

        Assert.Equal("long", (await TakeOne()).Text);
    }

    private Task Send(string text) => Sender.Send(Queue, text, TimeSpan.Zero, CancellationToken.None).AsTask();

    private async Task<IReadOnlyList<Message>> Take(int max, TimeSpan? hidden = null) =>
        await Messages.Take(Queue, max, hidden ?? never, CancellationToken.None);

    /// <summary>The one there is to take, once there is.</summary>
    private async Task<Message> TakeOne()
    {
        while (true)
        {
            await Messages.Changed(Queue, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System);
            if (await Take(10) is [var message]) return message;
        }
    }

    /// <summary>What the function was run with next.</summary>
    /// <param name="runs">Where it tells.</param>
    /// <param name="afterFailure">Whether the time has to pass that a message waits which failed.</param>
    private Task<string> Next(Channel<string> runs, bool afterFailure = false) => Eventually.Get(
        async () =>
        {
            if (afterFailure) await Pass(QueueTriggers.RetryAfter);
            return runs.Reader.TryRead(out var message) ? message : null;
        },
        "a run of the function");

    private async Task<IHost> Start<T>(ChannelWriter<string> runs)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddSingleton(FunctionCatalog.Of(typeof(T))).AddSingleton(TimeProvider.System).AddSingleton(Messages).AddSingleton(runs).AddLogging()
            .AddHostedService<QueueTriggers>();
        var host = builder.Build();
        await host.StartAsync();
        return host;
    }

    public sealed class Recording(ChannelWriter<string> runs)
    {
        [Function("record")]
        public ValueTask Run([QueueTrigger(Queue)] string message, CancellationToken ct) => runs.WriteAsync(message, ct);
    }

    public sealed class Failing(ChannelWriter<string> runs)
    {
        [Function("fail")]
        public void Run([QueueTrigger(Queue)] string message)
        {
            runs.TryWrite(message);
            throw new InvalidOperationException("not today");
        }
    }

    public sealed class Endless(ChannelWriter<string> runs)
    {
        [Function("go-on")]
        public async Task Run([QueueTrigger(Queue)] string message, CancellationToken ct)
        {
            await runs.WriteAsync(message, ct);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct);
        }
    }
}
