namespace Microsoft.DurableTask.Client;

/// <summary>Which instances to list; a null condition holds for every instance.</summary>
/// <param name="CreatedFrom">Created then or later.</param>
/// <param name="CreatedTo">Created then or earlier.</param>
/// <param name="Statuses">In one of these states.</param>
/// <param name="TaskHubNames">Of one of these task hubs; a store with one hub takes no notice.</param>
/// <param name="InstanceIdPrefix">With an id that begins so; case matters.</param>
/// <param name="PageSize">The most instances of a page.</param>
/// <param name="FetchInputsAndOutputs">With input, output and custom status.</param>
/// <param name="ContinuationToken">Where to go on, from an earlier page.</param>
public record OrchestrationQuery(
    DateTimeOffset? CreatedFrom = null,
    DateTimeOffset? CreatedTo = null,
    IEnumerable<OrchestrationRuntimeStatus>? Statuses = null,
    IEnumerable<string>? TaskHubNames = null,
    string? InstanceIdPrefix = null,
    int PageSize = OrchestrationQuery.DefaultPageSize,
    bool FetchInputsAndOutputs = false,
    string? ContinuationToken = null)
{
    public const int DefaultPageSize = 100;
}

/// <summary>Which finished instances to purge; a null condition holds for every instance.</summary>
/// <param name="CreatedFrom">Created then or later.</param>
/// <param name="CreatedTo">Created then or earlier.</param>
/// <param name="Statuses">In one of these states; states that are not final match nothing.</param>
public record PurgeInstancesFilter(
    DateTimeOffset? CreatedFrom = null, DateTimeOffset? CreatedTo = null, IEnumerable<OrchestrationRuntimeStatus>? Statuses = null);

/// <param name="Recursive">The sub-orchestrations too.</param>
public record PurgeInstanceOptions(bool Recursive = false);

/// <param name="Output">Shown as the instance's output; null: it has none.</param>
/// <param name="Recursive">The sub-orchestrations too.</param>
public record TerminateInstanceOptions(object? Output = null, bool Recursive = false);

public class PurgeResult(int count)
{
    public int PurgedInstanceCount { get; } = count;
}

public static class StartOrchestrationOptionsExtensions
{
    /// <summary>The same options, under which a start fails where an instance of the same id is in one of these states.</summary>
    public static StartOrchestrationOptions WithDedupeStatuses(this StartOrchestrationOptions options, params OrchestrationRuntimeStatus[] dedupeStatuses) =>
        options with { DedupeStatuses = [.. dedupeStatuses.Select(status => status.ToString())] };
}
