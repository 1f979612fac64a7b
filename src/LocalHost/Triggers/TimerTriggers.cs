using System.Diagnostics.CodeAnalysis;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NCrontab;

namespace NodeStash.LocalHost.Triggers;

/// <summary>
/// Runs the timer functions on their schedules, in UTC. A function never overlaps itself. Runs missed while it runs, or while the process is down, are
/// skipped (<see cref="TimerTriggerAttribute.UseMonitor"/> has no effect). A function that throws is logged and runs at its next time.
/// </summary>
public sealed partial class TimerTriggers : BackgroundService
{
    /// <summary>Maximum length of one wait: a timer can't wait more than 49 days, and the clock may be changed.</summary>
    private static readonly TimeSpan maxSleep = TimeSpan.FromHours(1);

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
        Task.WhenAll(timers.Select(t => Task.Run(() => RunSchedule(t.Function, t.Trigger, t.Schedule, stoppingToken), CancellationToken.None)));

    /// <summary>Parses a cron expression. Six fields begin with seconds; five begin with minutes, as in the Functions host.</summary>
    private static CrontabSchedule? Parse(string expression) =>
        CrontabSchedule.TryParse(
            expression, new CrontabSchedule.ParseOptions { IncludingSeconds = expression.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length > 5 });

    private async Task RunSchedule(Function function, TimerTriggerAttribute trigger, CrontabSchedule schedule, CancellationToken ct)
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

    /// <summary>Sleeps until a time; false if the process is stopping.</summary>
    private async Task<bool> Sleep(DateTime until, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested && until - Now is var left && left > TimeSpan.Zero)
        {
            // Round up to the millisecond of the timer; otherwise the last wait would spin.
            var part = left < maxSleep ? TimeSpan.FromMilliseconds(Math.Ceiling(left.TotalMilliseconds)) : maxSleep;
            await Task.Delay(part, clock, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
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

    [LoggerMessage(Level = LogLevel.Error, Message = "{Function} failed; it runs again at its next scheduled time")]
    private static partial void Failed(ILogger logger, Exception e, string function);
}
