using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace NodeStash.LocalHost.Durable;

/// <summary>Measures an engine, as the meter and the activity source <c>NodeStash.Durable</c>.</summary>
internal sealed class DurableMetrics : IDisposable
{
    public const string Name = "NodeStash.Durable";

    public static readonly ActivitySource Traces = new(Name);

    private readonly Meter meter = new(Name);
    private readonly Counter<long> started;
    private readonly Counter<long> completed;
    private readonly Counter<long> failed;
    private readonly Counter<long> activities;
    private readonly Histogram<double> timerLag;

    /// <param name="readyInstances">Counts the instances that can take a turn.</param>
    /// <param name="waitingActivities">Counts the activity calls that have not started.</param>
    public DurableMetrics(Func<int> readyInstances, Func<int> waitingActivities)
    {
        started = meter.CreateCounter<long>("nodestash.durable.orchestrations.started", "{orchestration}");
        completed = meter.CreateCounter<long>("nodestash.durable.orchestrations.completed", "{orchestration}");
        failed = meter.CreateCounter<long>("nodestash.durable.orchestrations.failed", "{orchestration}");
        activities = meter.CreateCounter<long>("nodestash.durable.activities", "{activity}", "Activities run; the tag 'outcome' is 'completed' or 'failed'.");
        timerLag = meter.CreateHistogram<double>("nodestash.durable.timer.lag", "s", "How long after its time a timer fired.");
        meter.CreateObservableGauge(
            "nodestash.durable.backlog",
            () => new[]
            {
                new Measurement<int>(readyInstances(), new KeyValuePair<string, object?>("of", "orchestrations")),
                new Measurement<int>(waitingActivities(), new KeyValuePair<string, object?>("of", "activities")),
            },
            description: "Work that could begin now.");
    }

    public void TurnTaken(Turn turn)
    {
        if (turn.Number == 0) started.Add(1, Of(turn.Name));
        if (turn.Ending is Completion) completed.Add(1, Of(turn.Name));
        else if (turn.Ending is Failure) failed.Add(1, Of(turn.Name));
    }

    public void ActivityRun(string name, bool succeeded) =>
        activities.Add(1, Of(name), new KeyValuePair<string, object?>("outcome", succeeded ? "completed" : "failed"));

    public void TimerFired(TimeSpan lag) => timerLag.Record(lag.TotalSeconds);

    public void Dispose() => meter.Dispose();

    private static KeyValuePair<string, object?> Of(string name) => new("name", name);
}
