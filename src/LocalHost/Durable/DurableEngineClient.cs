using System.Diagnostics;
using System.Security.Cryptography;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using NodeStash.LocalHost.Store;

namespace NodeStash.LocalHost.Durable;

/// <summary>Schedules and manages the instances of a <see cref="DurableEngine"/>. Every call is on disk when its task completes.</summary>
/// <remarks>
/// By default, scheduling with the id of an unfinished instance is refused, and with the id of a finished one replaces it; the options can name other
/// states. Terminating, suspending and resuming take effect at once, not with a later message.
/// </remarks>
public sealed class DurableEngineClient : DurableTaskClient
{
    private const int MaxPurgedAtOnce = 500;

    private static readonly HashSet<OrchestrationRuntimeStatus> Unfinished =
        [OrchestrationRuntimeStatus.Pending, OrchestrationRuntimeStatus.Running, OrchestrationRuntimeStatus.Suspended];

    private readonly Database database;
    private readonly DataConverter converter;
    private readonly TimeProvider time;
    private readonly InstanceWatches watches;
    private readonly Action<CommitSignals> dispatch;

    internal DurableEngineClient(Database database, DataConverter converter, TimeProvider time, InstanceWatches watches, Action<CommitSignals> dispatch)
        : base("local")
    {
        this.database = database;
        this.converter = converter;
        this.time = time;
        this.watches = watches;
        this.dispatch = dispatch;
    }

    private long Now => time.GetUtcNow().UtcTicks;

    /// <inheritdoc/>
    public override async Task<string> ScheduleNewOrchestrationInstanceAsync(
        TaskName orchestratorName, object? input = null, StartOrchestrationOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(orchestratorName.Name, nameof(orchestratorName));
        var protectedStatuses = ReadProtectedStatuses(options);
        var tags = Tags.Write(options?.Tags);
        var instance = Instances.New(
            options?.InstanceId is { Length: > 0 } id ? id : NewId(), orchestratorName.Name, options?.Version?.Version ?? "", converter.Serialize(input), tags,
            options?.StartAt?.UtcTicks, Now, Activity.Current?.Id, null);
        dispatch(await database.Write(session => Instances.Start(session, instance, protectedStatuses, instance.Created), cancellation));
        return instance.Id;
    }

    /// <inheritdoc/>
    public override async Task RaiseEventAsync(string instanceId, string eventName, object? eventPayload = null, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(instanceId);
        ArgumentException.ThrowIfNullOrEmpty(eventName);
        var payload = converter.Serialize(eventPayload);
        var signals = new CommitSignals();
        var isRaised = await database.Write(session => Journal.RaiseEvent(session, instanceId, eventName, payload, Now), cancellation);
        if (isRaised) signals.ReadyInstances.Add(instanceId);
        dispatch(signals);
    }

    /// <inheritdoc/>
    public override Task<OrchestrationMetadata> WaitForInstanceStartAsync(
        string instanceId, bool getInputsAndOutputs = false, CancellationToken cancellation = default) =>
        Wait(instanceId, instance => instance.RuntimeStatus != OrchestrationRuntimeStatus.Pending, getInputsAndOutputs, cancellation);

    /// <inheritdoc/>
    public override Task<OrchestrationMetadata> WaitForInstanceCompletionAsync(
        string instanceId, bool getInputsAndOutputs = false, CancellationToken cancellation = default) =>
        Wait(instanceId, instance => instance.IsCompleted, getInputsAndOutputs, cancellation);

    /// <inheritdoc/>
    public override async Task TerminateInstanceAsync(string instanceId, TerminateInstanceOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(instanceId);
        var output = converter.Serialize(options?.Output);
        dispatch(await database.Write(session => Instances.Terminate(session, instanceId, output, options is { Recursive: true }, Now), cancellation));
    }

    /// <inheritdoc/>
    public override async Task SuspendInstanceAsync(string instanceId, string? reason = null, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(instanceId);
        await database.Write(
            session =>
            {
                Instances.Suspend(session, instanceId, Now);
                return true;
            },
            cancellation);
        watches.Signal(instanceId);
    }

    /// <inheritdoc/>
    public override async Task ResumeInstanceAsync(string instanceId, string? reason = null, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(instanceId);
        var signals = new CommitSignals();
        if (await database.Write(session => Instances.Resume(session, instanceId, Now), cancellation)) signals.ReadyInstances.Add(instanceId);
        dispatch(signals);
    }

    /// <inheritdoc/>
    public override Task<OrchestrationMetadata?> GetInstancesAsync(
        string instanceId, bool getInputsAndOutputs = false, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(instanceId);
        cancellation.ThrowIfCancellationRequested();
        return Task.FromResult(Find(instanceId, getInputsAndOutputs));
    }

    /// <summary>Lists instances in the order of their ids.</summary>
    public override AsyncPageable<OrchestrationMetadata> GetAllInstancesAsync(OrchestrationQuery? filter = null)
    {
        var query = filter ?? new OrchestrationQuery();
        return Pageable.Create<OrchestrationMetadata>((token, size, ct) =>
        {
            ct.ThrowIfCancellationRequested();
            var limit = size ?? query.PageSize;
            var found = database.Read(session => Instances.List(session, query, token ?? query.ContinuationToken ?? "", limit + 1));
            return Task.FromResult(new Page<OrchestrationMetadata>(
                [.. found.Take(limit).Select(instance => Instances.Describe(instance, converter, query.FetchInputsAndOutputs))],
                found.Count > limit ? found[limit - 1].Id : null));
        });
    }

    /// <inheritdoc/>
    public override async Task<PurgeResult> PurgeInstanceAsync(
        string instanceId, PurgeInstanceOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(instanceId);
        var purged = await database.Write(session => Instances.Purge(session, instanceId, options is { Recursive: true }), cancellation);
        if (purged > 0) watches.Signal(instanceId);
        return new PurgeResult(purged);
    }

    /// <inheritdoc/>
    public override async Task<PurgeResult> PurgeAllInstancesAsync(
        PurgeInstancesFilter filter, PurgeInstanceOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(filter);
        var count = 0;
        List<string> batch;
        do
        {
            var (ids, purged) = await database.Write(
                session =>
                {
                    var ids = Instances.Purgeable(session, filter, MaxPurgedAtOnce);
                    return (ids, ids.Sum(id => Instances.Purge(session, id, options is { Recursive: true })));
                },
                cancellation);
            batch = ids;
            count += purged;
        }
        while (batch.Count == MaxPurgedAtOnce);

        return new PurgeResult(count);
    }

    /// <inheritdoc/>
    public override async Task<string> RestartAsync(string instanceId, bool restartWithNewInstanceId = false, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(instanceId);
        var id = restartWithNewInstanceId ? NewId() : instanceId;
        dispatch(await database.Write(
            session =>
            {
                var old = Instances.Find(session, instanceId)
                    ?? throw new ArgumentException($"There is no orchestration with the instance id '{instanceId}'.", nameof(instanceId));
                return Instances.Start(
                    session, Instances.New(id, old.Name, old.Version, old.Input, old.Tags, null, Now, Activity.Current?.Id, null), Unfinished, Now);
            },
            cancellation));
        return id;
    }

    /// <summary>Does nothing: the engine is disposed by its owner.</summary>
    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static string NewId() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    private static HashSet<OrchestrationRuntimeStatus> ReadProtectedStatuses(StartOrchestrationOptions? options)
    {
        if (options?.DedupeStatuses is not { } names) return Unfinished;
        var kept = names
            .Select(name => Enum.TryParse<OrchestrationRuntimeStatus>(name, ignoreCase: true, out var status)
                ? status
                : throw new ArgumentException($"'{name}' is not a status of an orchestration; use a name of OrchestrationRuntimeStatus.", nameof(options)))
            .ToHashSet();
        if (kept.Contains(OrchestrationRuntimeStatus.Terminated) && !kept.IsSupersetOf(Unfinished))
        {
            throw new ArgumentException(
                "These options replace a running instance without terminating it. Allow Terminated, or protect every unfinished status.", nameof(options));
        }

        return kept;
    }

    private OrchestrationMetadata? Find(string instanceId, bool withPayloads) =>
        database.Read(session => Instances.Find(session, instanceId)) is { } instance ? Instances.Describe(instance, converter, withPayloads) : null;

    private async Task<OrchestrationMetadata> Wait(string instanceId, Func<OrchestrationMetadata, bool> isReached, bool withPayloads, CancellationToken ct)
    {
        ArgumentException.ThrowIfNullOrEmpty(instanceId);
        while (true)
        {
            using var watch = watches.Begin(instanceId);
            var instance = Find(instanceId, withPayloads);
            if (instance is null || isReached(instance)) return instance!;
            await watch.Changed.WaitAsync(ct);
        }
    }
}
