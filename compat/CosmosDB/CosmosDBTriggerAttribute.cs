using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;

namespace Microsoft.Azure.Functions.Worker;

public enum CosmosDBChangeFeedMode
{
    LatestVersion,
    AllVersionsAndDeletes,
}

/// <summary>Runs a function with batches of a container's change feed. Intervals are in milliseconds; 0 is the host's default.</summary>
[BindingCapabilities(KnownBindingCapabilities.FunctionLevelRetry)]
public sealed class CosmosDBTriggerAttribute(string databaseName, string containerName) : TriggerBindingAttribute
{
    public string ContainerName { get; } = containerName;

    public string DatabaseName { get; } = databaseName;

    /// <summary>The app setting that holds the connection.</summary>
    public string? Connection { get; set; }

    public string? LeaseContainerName { get; set; }

    public string? LeaseDatabaseName { get; set; }

    public string? LeaseConnection { get; set; }

    public bool CreateLeaseContainerIfNotExists { get; set; }

    public int LeasesContainerThroughput { get; set; }

    /// <summary>Tells this function's leases from those of the others in the lease container.</summary>
    public string? LeaseContainerPrefix { get; set; }

    /// <summary>The wait between two looks at a drained feed; the host's default is 5000.</summary>
    public int FeedPollDelay { get; set; }

    public int LeaseRenewInterval { get; set; }

    public int LeaseAcquireInterval { get; set; }

    public int LeaseExpirationInterval { get; set; }

    public int MaxItemsPerInvocation { get; set; }

    /// <summary>Where a new lease starts: at the first change, or (false) at those after it was made.</summary>
    public bool StartFromBeginning { get; set; }

    public string? StartFromTime { get; set; }

    public string? PreferredLocations { get; set; }

    public CosmosDBChangeFeedMode ChangeFeedMode { get; set; }
}
