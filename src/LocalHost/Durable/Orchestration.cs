using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.DurableTask;
using Microsoft.Extensions.Logging;

namespace NodeStash.LocalHost.Durable;

/// <summary>
/// What an orchestrator sees, and the tasks it waits for. Everything it asks for is numbered in order; during replay each request is
/// compared with the one in history.
/// </summary>
internal sealed class Orchestration(Instance instance, DataConverter converter, ILoggerFactory loggers, OrchestratorThread thread) : TaskOrchestrationContext
{
    private readonly Dictionary<int, PendingTask> pending = [];
    private readonly ExternalEvents events = new(converter);
    private readonly List<Ask> asks = [];
    private readonly List<int> cancelledTimers = [];
    private IReadOnlyList<string>? recorded;
    private DateTime now;
    private int guids;
    private int tasks;
    private long lastTaken;
    private long takenBeforeNextExecution;

    public override TaskName Name => instance.Name;

    public override string InstanceId => instance.Id;

    public override string Version => instance.Version;

    public override ParentOrchestrationInstance? Parent { get; } =
        instance.Parent is { } parent ? new ParentOrchestrationInstance(parent.Name, parent.Id) : null;

    public override DateTime CurrentUtcDateTime => now;

    public override bool IsReplaying => recorded is not null;

    /// <summary>What the orchestrator asked for in this turn.</summary>
    public IReadOnlyList<Ask> Asks => asks;

    /// <summary>Timers cancelled in this turn.</summary>
    public IReadOnlyList<int> CancelledTimers => cancelledTimers;

    public string? CustomStatus { get; private set; }

    /// <summary>Null unless the orchestrator is to start afresh when it returns.</summary>
    public ContinueAsNewOptions? NextExecution { get; private set; }

    /// <summary>Null unless the orchestrator has departed from its history.</summary>
    public NonDeterminismException? Departure { get; private set; }

    /// <summary>False where the orchestrator waits for nothing that could still come.</summary>
    public bool Waits => HasOpenTasks || events.AreAwaited;

    /// <summary>True while a call or timer has not ended.</summary>
    public bool HasOpenTasks => pending.Count > 0;

    /// <summary>
    /// The events handed to the next execution: those nobody has waited for, oldest first. Without
    /// <see cref="ContinueAsNewOptions.PreserveUnprocessedEvents"/>, only those that came after the decision to start afresh.
    /// </summary>
    public IReadOnlyList<long> KeptEvents => NextExecution is { PreserveUnprocessedEvents: false }
        ? [.. events.Unclaimed.Where(seq => seq > takenBeforeNextExecution)]
        : events.Unclaimed;

    protected override ILoggerFactory LoggerFactory => loggers;

    /// <param name="at">The time of the turn, UTC ticks.</param>
    /// <param name="asked">The labels of what it asked for when it was first taken; null: this is the first time.</param>
    public void BeginTurn(long at, IReadOnlyList<string>? asked)
    {
        now = new DateTime(at, DateTimeKind.Utc);
        recorded = asked;
        asks.Clear();
        cancelledTimers.Clear();
    }

    /// <summary>Completes what waits for it. What nobody waits for any more, such as a cancelled timer, is passed over.</summary>
    public void Take(Occurrence occurrence)
    {
        lastTaken = occurrence.Seq;
        if (occurrence.Kind == EventKind.Raised) events.Take(occurrence);
        else if (pending.Remove(occurrence.Task, out var task)) task.Complete(occurrence);
    }

    /// <summary>At the end of a replayed turn: has everything been asked for again?</summary>
    public void EndReplay(bool returned)
    {
        if (recorded is { } history && history.Count > asks.Count)
            Depart(history[asks.Count], tasks, returned ? "the orchestrator returned" : "the orchestrator asked for nothing");
        else if (returned && !HasOpenTasks)
            Departure ??= new NonDeterminismException(
                $"Orchestration '{instance.Id}' is not deterministic: its history goes on, but the orchestrator returned.");
    }

    public override T? GetInput<T>()
        where T : default => converter.Read<T>(instance.Input);

    public override Task<TResult> CallActivityAsync<TResult>(TaskName name, object? input = null, TaskOptions? options = null)
    {
        RejectOptionsAsInput(input, options);
        var serialized = converter.Serialize(input);
        return Retries.Run(this, options?.Retry, () => Request<TResult>(name, task => new CallActivity(task, name, serialized)));
    }

    public override Task<TResult> CallSubOrchestratorAsync<TResult>(TaskName orchestratorName, object? input = null, TaskOptions? options = null)
    {
        RejectOptionsAsInput(input, options);
        var given = options as SubOrchestrationOptions;
        var id = given?.InstanceId ?? NewGuid().ToString("N");
        var version = given?.Version?.Version ?? "";
        var tags = Tags.Merge(instance.Tags, options?.Tags);
        var serialized = converter.Serialize(input);
        return Retries.Run(
            this, options?.Retry,
            () => Request<TResult>(orchestratorName, task => new CallSubOrchestrator(task, orchestratorName, version, id, serialized, tags)));
    }

    [SuppressMessage("Design", "CA2000", Justification = "The registration lasts as long as the timer.")]
    public override Task CreateTimer(DateTime fireAt, CancellationToken cancellationToken)
    {
        var task = Number(task => new SetTimer(task, fireAt.ToUniversalTime().Ticks));
        var timer = new PendingTimer();
        pending.Add(task, timer);
        cancellationToken.UnsafeRegister(_ => CancelTimer(task, timer, cancellationToken), null);
        return timer.Fired;
    }

    public override Task<T> WaitForExternalEvent<T>(string eventName, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(eventName);
        StayHere();
        var waiting = events.Wait<T>(eventName);
        cancellationToken.UnsafeRegister(
            _ =>
            {
                if (thread.IsHere) waiting.Cancel(cancellationToken);
                else thread.Stray();
            },
            null);
        return waiting.Task;
    }

    public override void SendEvent(string instanceId, string eventName, object payload)
    {
        ArgumentException.ThrowIfNullOrEmpty(instanceId);
        ArgumentException.ThrowIfNullOrEmpty(eventName);
        var serialized = converter.Serialize(payload);
        Number(task => new SendEvent(task, instanceId, eventName, serialized));
    }

    public override void SetCustomStatus(object? customStatus)
    {
        StayHere();
        CustomStatus = converter.Serialize(customStatus);
    }

    public override void ContinueAsNew(object? newInput = null, bool preserveUnprocessedEvents = true) =>
        ContinueAsNew(new ContinueAsNewOptions { NewInput = newInput, PreserveUnprocessedEvents = preserveUnprocessedEvents });

    public override void ContinueAsNew(ContinueAsNewOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        StayHere();
        (NextExecution, takenBeforeNextExecution) = (options, lastTaken);
    }

    /// <summary>The hash of the instance, the execution and a count, in the form of a version 8 (custom) id of RFC 9562.</summary>
    public override Guid NewGuid()
    {
        StayHere();
        var seed = string.Create(CultureInfo.InvariantCulture, $"{instance.Id}\n{instance.Execution}\n{guids++}");
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(seed)).AsSpan(0, 16);
        hash[6] = (byte)((hash[6] & 0x0F) | 0x80);
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        return new Guid(hash, bigEndian: true);
    }

    private static void RejectOptionsAsInput(object? input, TaskOptions? options)
    {
        if (input is TaskOptions && options is null)
            throw new ArgumentException("Options were passed as the input; pass them as the argument named 'options'.", nameof(input));
    }

    private Task<T> Request<T>(string name, Func<int, Ask> ask)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        var task = Number(ask);
        var call = new PendingCall<T>(name, converter);
        pending.Add(task, call);
        return call.Answered;
    }

    private int Number(Func<int, Ask> ask)
    {
        StayHere();
        if (Departure is not null) throw Departure;
        var asked = ask(tasks);
        if (recorded is { } history)
        {
            if (asks.Count >= history.Count) throw Depart("nothing", tasks, $"the code asked for {asked.Label} #{tasks}");
            if (!asked.Label.Equals(history[asks.Count], StringComparison.OrdinalIgnoreCase))
                throw Depart(history[asks.Count], tasks, $"the code asked for {asked.Label} #{tasks}");
        }

        asks.Add(asked);
        return tasks++;
    }

    private NonDeterminismException Depart(string history, int number, string code) => Departure ??= new NonDeterminismException(
        string.Create(CultureInfo.InvariantCulture, $"Orchestration '{instance.Id}' is not deterministic: its history says {history} #{number}, {code}."));

    private void StayHere()
    {
        if (thread.IsHere) return;
        thread.Stray();
        throw new NonDeterminismException(Execution.Strayed(instance.Id));
    }

    private void CancelTimer(int task, PendingTimer timer, CancellationToken ct)
    {
        if (!thread.IsHere)
        {
            thread.Stray();
        }
        else if (pending.Remove(task))
        {
            cancelledTimers.Add(task);
            timer.Cancel(ct);
        }
    }

    /// <summary>A call or timer whose outcome is still to come.</summary>
    private abstract class PendingTask
    {
        public abstract void Complete(Occurrence outcome);
    }

    private sealed class PendingTimer : PendingTask
    {
        private readonly TaskCompletionSource fired = new();

        public Task Fired => fired.Task;

        public override void Complete(Occurrence outcome) => fired.TrySetResult();

        public void Cancel(CancellationToken ct) => fired.TrySetCanceled(ct);
    }

    private sealed class PendingCall<T>(string name, DataConverter converter) : PendingTask
    {
        private readonly TaskCompletionSource<T> answered = new();

        public Task<T> Answered => answered.Task;

        [SuppressMessage("Design", "CA1031", Justification = "An answer that cannot be read is the caller's to handle.")]
        public override void Complete(Occurrence outcome)
        {
            T? answer;
            try
            {
                if (outcome.Kind == EventKind.Failed) throw new TaskFailedException(name, outcome.Task, Failures.Read(outcome.Payload!));
                answer = converter.Read<T>(outcome.Payload);
            }
            catch (Exception e)
            {
                answered.SetException(e);
                return;
            }

            answered.SetResult(answer!);
        }
    }
}
