namespace Microsoft.DurableTask.Client;

public enum OrchestrationRuntimeStatus
{
    Running,
    Completed,
    [Obsolete("Not used; kept for the numbers of the others.")]
    ContinuedAsNew,
    Failed,
    [Obsolete("Not used; kept for the numbers of the others.")]
    Canceled,
    Terminated,

    /// <summary>Accepted, but its first turn is still to come.</summary>
    Pending,
    Suspended,
}
