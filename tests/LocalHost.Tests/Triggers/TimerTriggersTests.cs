using System.Threading.Channels;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using NodeStash.LocalHost.Triggers;
using NodeStash.Support.Clocks;

namespace NodeStash.LocalHost.Tests.Triggers;

public class TimerTriggersTests
{
    private static readonly DateTimeOffset noon = new(2026, 2, 27, 12, 0, 0, TimeSpan.Zero);

    private readonly Channel<(DateTimeOffset Time, TimerInfo Timer)> runs = Channel.CreateBounded<(DateTimeOffset, TimerInfo)>(1);
    private readonly JumpingClock clock = new(noon);

    [Fact]
    public async Task A_function_runs_at_the_times_of_its_schedule_and_is_told_them()
    {
        using var host = await Start(typeof(Nightly));
        var (first, timer) = await Next();
        Assert.Equal(At(28), first.UtcDateTime);
        Assert.Equal((default, At(1, 3)), (timer.ScheduleStatus!.Last, timer.ScheduleStatus.Next));

        var (second, again) = await Next();
        Assert.Equal(At(1, 3), second.UtcDateTime);
        Assert.Equal((At(28), At(2, 3)), (again.ScheduleStatus!.Last, again.ScheduleStatus.Next));
    }

    [Fact]
    public async Task A_schedule_of_five_fields_begins_with_minutes()
    {
        using var host = await Start(typeof(NightlyInFiveFields));
        Assert.Equal(At(28), (await Next()).Time.UtcDateTime);
    }

    [Fact]
    public async Task A_function_that_throws_runs_again_at_its_next_time()
    {
        using var host = await Start(typeof(Failing));
        await Next();
        await Next();
    }

    [Fact]
    public async Task A_function_may_run_at_start()
    {
        using var host = await Start(typeof(AtStart));
        Assert.Equal(noon, (await Next()).Time);
        Assert.Equal(new DateTimeOffset(2027, 1, 1, 3, 0, 0, TimeSpan.Zero), (await Next()).Time);
    }

    [Fact]
    public async Task Times_that_pass_while_a_function_runs_are_left_out()
    {
        using var host = await Start(typeof(Slow));
        var (first, _) = await Next();
        var (second, timer) = await Next();
        Assert.Equal((noon.AddHours(1), noon.AddHours(26)), (first, second));
        Assert.Equal(first.UtcDateTime, timer.ScheduleStatus!.Last);
    }

    [Fact]
    public async Task A_schedule_that_is_no_cron_expression_is_refused()
    {
        var refusal = await Assert.ThrowsAsync<InvalidFunctionsException>(() => Start(typeof(Unscheduled)));
        Assert.Equal(["Unscheduled.Run has a schedule that is no cron expression: every night"], refusal.Errors);
    }

    private static DateTime At(int day, int month = 2) => new(2026, month, day, 3, 0, 0, DateTimeKind.Utc);

    private async Task<(DateTimeOffset Time, TimerInfo Timer)> Next() =>
        await runs.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System);

    private async Task<IHost> Start(Type function)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddSingleton(FunctionCatalog.Of(function)).AddSingleton<TimeProvider>(clock).AddSingleton(runs.Writer)
            .AddHostedService<TimerTriggers>();
        var host = builder.Build();
        await host.StartAsync();
        return host;
    }

    public sealed class Nightly(ChannelWriter<(DateTimeOffset, TimerInfo)> runs, TimeProvider clock)
    {
        [Function("nightly")]
        public ValueTask Run([TimerTrigger("0 0 3 * * *")] TimerInfo timer, CancellationToken ct) => runs.WriteAsync((clock.GetUtcNow(), timer), ct);
    }

    public sealed class NightlyInFiveFields(ChannelWriter<(DateTimeOffset, TimerInfo)> runs, TimeProvider clock)
    {
        [Function("nightly")]
        public ValueTask Run([TimerTrigger("0 3 * * *")] TimerInfo timer, CancellationToken ct) => runs.WriteAsync((clock.GetUtcNow(), timer), ct);
    }

    public sealed class Failing(ChannelWriter<(DateTimeOffset, TimerInfo)> runs, TimeProvider clock)
    {
        [Function("failing")]
        public void Run([TimerTrigger("0 0 3 * * *")] TimerInfo timer)
        {
            runs.TryWrite((clock.GetUtcNow(), timer));
            throw new InvalidOperationException("not tonight");
        }
    }

    public sealed class AtStart(ChannelWriter<(DateTimeOffset, TimerInfo)> runs, TimeProvider clock)
    {
        [Function("yearly")]
        public ValueTask Run([TimerTrigger("0 0 3 1 1 *", RunOnStartup = true)] TimerInfo timer, CancellationToken ct) =>
            runs.WriteAsync((clock.GetUtcNow(), timer), ct);
    }

    public sealed class Slow(ChannelWriter<(DateTimeOffset, TimerInfo)> runs, TimeProvider clock)
    {
        [Function("hourly")]
        public async Task Run([TimerTrigger("0 0 * * * *")] TimerInfo timer, CancellationToken ct)
        {
            await runs.WriteAsync((clock.GetUtcNow(), timer), ct);
            await Task.Delay(TimeSpan.FromDays(1), clock, ct);
        }
    }

    public static class Unscheduled
    {
        [Function("unscheduled")]
        public static void Run([TimerTrigger("every night")] TimerInfo timer) => _ = timer;
    }
}
