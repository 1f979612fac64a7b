using System.Diagnostics.CodeAnalysis;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NCrontab;

namespace NodeStash.LocalHost.Triggers;

/// <summary>
/// Runs the timer functions, in UTC. A function never overlaps itself; times that pass while it runs, or while the process is down,
/// are not made up for (<see cref="TimerTriggerAttribute.UseMonitor"/> has no effect). One that throws is logged and runs at its next time.
/// </summary>
public sealed partial class TimerTriggers : BackgroundService
{
    /// <summary>A timer can't wait for more than 49 days at once, and a clock may be set.</summary>
    private static readonly TimeSpan longestSleep = TimeSpan.FromHours(1);

    private readonly List<(Function Function, TimerTriggerAttribute Trigger, CrontabSchedule Schedule)> timers = [];
    private readonly IServiceScopeFactory scopes;
    private readonly TimeProvider clock;
    private readonly ILogger<TimerTriggers> log;

    /// <exception cref="InvalidFunctionsException">A schedule is not a cron expression.</exception>
    public TimerTriggers(FunctionCatalog catalog, IServiceScopeFactory scopes, TimeProvider clock, ILogger<TimerTriggers> log)
    {
        this.scopes = scopes;
        this.clock = clock;
        this.log = log;
        var errors = new List<string>();
        foreach (var (function, trigger) in catalog.TriggeredBy<TimerTriggerAttribute>())
        {
            if (Parse(trigger.Schedule) is { } schedule) timers.Add((function, trigger, schedule));
            else errors.Add($"{function} has a schedule that is no cron expression: {trigger.Schedule}");
        }

        if (errors.Count > 0) throw new InvalidFunctionsException(errors);
    }

    private DateTime Now => clock.GetUtcNow().UtcDateTime;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(timers.Select(t => Task.Run(() => Keep(t.Function, t.Trigger, t.Schedule, stoppingToken), CancellationToken.None)));

    /// <summary>Six fields begin with seconds; five, which the Functions host takes too, with minutes.</summary>
    private static CrontabSchedule? Parse(string expression) =>
        CrontabSchedule.TryParse(
            expression, new CrontabSchedule.ParseOptions { IncludingSeconds = expression.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length > 5 });

    private async Task Keep(Function function, TimerTriggerAttribute trigger, CrontabSchedule schedule, CancellationToken ct)
    {
        var last = default(DateTime);
        var due = trigger.RunOnStartup ? Now : schedule.GetNextOccurrence(Now);
        while (await Sleep(due, ct))
        {
            var status = new ScheduleStatus { Last = last, Next = schedule.GetNextOccurrence(due), LastUpdated = last };
            await Run(function, new TimerInfo { ScheduleStatus = status }, ct);
            last = due;
            due = schedule.GetNextOccurrence(Now > due ? Now : due);
        }
    }

    /// <summary>False if the process is to stop.</summary>
    private async Task<bool> Sleep(DateTime until, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested && until - Now is var left && left > TimeSpan.Zero)
        {
            // Rounded up to the timer's millisecond: else the last stretch would spin.
            var stretch = left < longestSleep ? TimeSpan.FromMilliseconds(Math.Ceiling(left.TotalMilliseconds)) : longestSleep;
            await Task.Delay(stretch, clock, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return !ct.IsCancellationRequested;
    }

    [SuppressMessage("Design", "CA1031", Justification = "A function may throw anything; it is logged.")]
    private async Task Run(Function function, TimerInfo timer, CancellationToken ct)
    {
        try
        {
            await using var scope = scopes.CreateAsyncScope();
            await function.Run(scope.ServiceProvider, timer, ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
        }
        catch (Exception e)
        {
            Failed(log, e, function.Name);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Function} failed; it runs again at its next time")]
    private static partial void Failed(ILogger logger, Exception e, string function);
}
