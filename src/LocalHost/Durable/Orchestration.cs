using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.DurableTask;
using Microsoft.Extensions.Logging;

namespace NodeStash.LocalHost.Durable;

/// <summary>
/// Implements the context of an orchestrator, and keeps the tasks it waits for. Actions are numbered in order. During replay, each action is compared
/// with the recorded one.
/// </summary>
internal sealed class Orchestration(Instance instance, DataConverter converter, ILoggerFactory loggers, OrchestratorThread thread) : TaskOrchestrationContext
{
    private readonly Dictionary<int, PendingTask> pending = [];
    private readonly ExternalEvents events = new(converter);
    private readonly List<OrchestratorAction> actions = [];
    private readonly List<int> cancelledTimers = [];
    private IReadOnlyList<string>? recordedLabels;
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

    public override bool IsReplaying => recordedLabels is not null;

    /// <summary>Actions of this turn, in order.</summary>
    public IReadOnlyList<OrchestratorAction> Actions => actions;

    /// <summary>Numbers of the timers cancelled in this turn.</summary>
    public IReadOnlyList<int> CancelledTimers => cancelledTimers;

    public string? CustomStatus { get; private set; }

    /// <summary>Options of ContinueAsNew; null if the orchestrator has not called it.</summary>
    public ContinueAsNewOptions? NextExecution { get; private set; }

    /// <summary>The first mismatch between code and history; null for none.</summary>
    public NonDeterminismException? HistoryMismatch { get; private set; }

    /// <summary>Whether the orchestrator waits for a call, a timer or an external event.</summary>
    public bool IsWaiting => HasOpenTasks || events.HasWaiters;

    /// <summary>Whether a call or timer is still pending.</summary>
    public bool HasOpenTasks => pending.Count > 0;

    /// <summary>
    /// Numbers of the events passed to the next execution: those that no task has received, oldest first. Without
    /// <see cref="ContinueAsNewOptions.PreserveUnprocessedEvents"/>, only those that arrived after the call of ContinueAsNew.
    /// </summary>
    public IReadOnlyList<long> KeptEvents => NextExecution is { PreserveUnprocessedEvents: false }
        ? [.. events.Unreceived.Where(seq => seq > takenBeforeNextExecution)]
        : events.Unreceived;

    protected override ILoggerFactory LoggerFactory => loggers;

    /// <summary>Begins a turn.</summary>
    /// <param name="at">The time of the turn, in UTC ticks.</param>
    /// <param name="replayedLabels">Labels of the recorded actions of a replayed turn; null for a new turn.</param>
    public void BeginTurn(long at, IReadOnlyList<string>? replayedLabels)
    {
        now = new DateTime(at, DateTimeKind.Utc);
        recordedLabels = replayedLabels;
        actions.Clear();
        cancelledTimers.Clear();
    }

    /// <summary>Completes the task that waits for an event. Ignores events of tasks that no longer wait, such as a cancelled timer.</summary>
    public void Process(HistoryEvent received)
    {
        lastTaken = received.Seq;
        if (received.Kind == EventKind.EventRaised) events.Process(received);
        else if (pending.Remove(received.Task, out var task)) task.Complete(received);
    }

    /// <summary>Ends a replayed turn: reports a mismatch if recorded actions were not repeated.</summary>
    public void EndReplay(bool returned)
    {
        if (recordedLabels is { } history && history.Count > actions.Count)
            ReportMismatch(history[actions.Count], tasks, returned ? "the orchestrator returned" : "the orchestrator asked for nothing");
        else if (returned && !HasOpenTasks)
            HistoryMismatch ??= new NonDeterminismException(
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
        var task = Add(task => new SetTimer(task, fireAt.ToUniversalTime().Ticks));
        var timer = new PendingTimer();
        pending.Add(task, timer);
        cancellationToken.UnsafeRegister(_ => CancelTimer(task, timer, cancellationToken), null);
        return timer.Fired;
    }

    public override Task<T> WaitForExternalEvent<T>(string eventName, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(eventName);
        EnsureOrchestratorThread();
        var waiting = events.Wait<T>(eventName);
        cancellationToken.UnsafeRegister(
            _ =>
            {
                if (thread.IsCurrent) waiting.Cancel(cancellationToken);
                else thread.ReportLeft();
            },
            null);
        return waiting.Task;
    }

    public override void SendEvent(string instanceId, string eventName, object payload)
    {
        ArgumentException.ThrowIfNullOrEmpty(instanceId);
        ArgumentException.ThrowIfNullOrEmpty(eventName);
        var serialized = converter.Serialize(payload);
        Add(task => new SendEvent(task, instanceId, eventName, serialized));
    }

    public override void SetCustomStatus(object? customStatus)
    {
        EnsureOrchestratorThread();
        CustomStatus = converter.Serialize(customStatus);
    }

    public override void ContinueAsNew(object? newInput = null, bool preserveUnprocessedEvents = true) =>
        ContinueAsNew(new ContinueAsNewOptions { NewInput = newInput, PreserveUnprocessedEvents = preserveUnprocessedEvents });

    public override void ContinueAsNew(ContinueAsNewOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        EnsureOrchestratorThread();
        (NextExecution, takenBeforeNextExecution) = (options, lastTaken);
    }

    /// <summary>Hashes the instance, the execution and a count into a UUID of version 8 (custom, RFC 9562).</summary>
    public override Guid NewGuid()
    {
        EnsureOrchestratorThread();
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

    private Task<T> Request<T>(string name, Func<int, OrchestratorAction> create)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        var task = Add(create);
        var call = new PendingCall<T>(name, converter);
        pending.Add(task, call);
        return call.Answered;
    }

    /// <summary>Adds an action and returns its number. During replay, compares it with the recorded one.</summary>
    private int Add(Func<int, OrchestratorAction> create)
    {
        EnsureOrchestratorThread();
        if (HistoryMismatch is not null) throw HistoryMismatch;
        var action = create(tasks);
        if (recordedLabels is { } history)
        {
            if (actions.Count >= history.Count) throw ReportMismatch("nothing", tasks, $"the code asked for {action.Label} #{tasks}");
            if (!action.Label.Equals(history[actions.Count], StringComparison.OrdinalIgnoreCase))
                throw ReportMismatch(history[actions.Count], tasks, $"the code asked for {action.Label} #{tasks}");
        }

        actions.Add(action);
        return tasks++;
    }

    private NonDeterminismException ReportMismatch(string history, int number, string code) => HistoryMismatch ??= new NonDeterminismException(
        string.Create(CultureInfo.InvariantCulture, $"Orchestration '{instance.Id}' is not deterministic: its history says {history} #{number}, {code}."));

    private void EnsureOrchestratorThread()
    {
        if (thread.IsCurrent) return;
        thread.ReportLeft();
        throw new NonDeterminismException(Execution.LeftThreadMessage(instance.Id));
    }

    private void CancelTimer(int task, PendingTimer timer, CancellationToken ct)
    {
        if (!thread.IsCurrent)
        {
            thread.ReportLeft();
        }
        else if (pending.Remove(task))
        {
            cancelledTimers.Add(task);
            timer.Cancel(ct);
        }
    }

    /// <summary>A call or timer that has not completed.</summary>
    private abstract class PendingTask
    {
        public abstract void Complete(HistoryEvent result);
    }

    private sealed class PendingTimer : PendingTask
    {
        private readonly TaskCompletionSource fired = new();

        public Task Fired => fired.Task;

        public override void Complete(HistoryEvent result) => fired.TrySetResult();

        public void Cancel(CancellationToken ct) => fired.TrySetCanceled(ct);
    }

    private sealed class PendingCall<T>(string name, DataConverter converter) : PendingTask
    {
        private readonly TaskCompletionSource<T> answered = new();

        public Task<T> Answered => answered.Task;

        [SuppressMessage("Design", "CA1031", Justification = "The caller handles a result that cannot be read.")]
        public override void Complete(HistoryEvent result)
        {
            T? answer;
            try
            {
                if (result.Kind == EventKind.TaskFailed) throw new TaskFailedException(name, result.Task, Failures.Read(result.Payload!));
                answer = converter.Read<T>(result.Payload);
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
