namespace NodeStash.CosmosStandIn;

/// <summary>What can go wrong with a request.</summary>
public enum Fault
{
    /// <summary>429: not done; to be asked again after <see cref="Faults.RetryAfter"/>.</summary>
    TooManyRequests,

    /// <summary>449: not done, for a concurrent write.</summary>
    RetryWith,

    /// <summary>503: not done.</summary>
    ServiceUnavailable,

    /// <summary>408: not done.</summary>
    TimeoutBefore,

    /// <summary>408: done, but the client isn't told.</summary>
    TimeoutAfter,

    /// <summary>The connection breaks before the request is done.</summary>
    DisconnectBefore,

    /// <summary>The connection breaks after the request is done.</summary>
    DisconnectAfter,

    /// <summary>A page of a query or of a change feed has one item.</summary>
    ShortPage,

    /// <summary>A page of a query has nothing, but a continuation.</summary>
    EmptyPage,
}

/// <summary>A request that is about to be done.</summary>
/// <param name="Kind">What is asked for.</param>
/// <param name="Container">Its name; null where none is meant.</param>
/// <param name="PartitionKey">As the header has it: <c>["ws_1"]</c>; null without one.</param>
/// <param name="Detail">The document's id; null for nothing of that.</param>
public sealed record PendingRequest(RequestKind Kind, string? Container, string? PartitionKey, string? Detail);

/// <summary>Faults a test asks for. What is asked for last comes first. Metadata requests fail only where a condition names them.</summary>
public sealed class Faults
{
    private readonly Lock gate = new();
    private readonly List<Plan> plans = [];
    private readonly HashSet<PendingRequest> spared = [];

    /// <summary>What 429 asks to wait, in real time; 1 ms unless set.</summary>
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromMilliseconds(1);

    /// <summary>Lets the next requests fail.</summary>
    /// <param name="problem">How.</param>
    /// <param name="count">How many.</param>
    /// <param name="those">Which; null for any request for documents.</param>
    public void Next(Fault problem, int count = 1, Predicate<PendingRequest>? those = null) => Add(new Plan(problem, those ?? IsForDocuments, null, 0, count));

    /// <summary>Lets requests fail by chance, until <see cref="Clear"/>. A request that is repeated after it failed so is spared.</summary>
    /// <param name="problem">How.</param>
    /// <param name="share">From 0 for none to 1 for all.</param>
    /// <param name="chance">Decides; with a seed, so that a test can be repeated.</param>
    /// <param name="those">Which; null for any request for documents.</param>
    public void Sometimes(Fault problem, double share, Random chance, Predicate<PendingRequest>? those = null) =>
        Add(new Plan(problem, those ?? IsForDocuments, chance, share, int.MaxValue));

    /// <summary>Nothing goes wrong any more.</summary>
    public void Clear()
    {
        lock (gate)
        {
            plans.Clear();
            spared.Clear();
        }
    }

    internal Fault? Strike(PendingRequest request)
    {
        lock (gate)
        {
            var isSpared = spared.Remove(request);
            for (var i = plans.Count - 1; i >= 0; i--)
            {
                var plan = plans[i];
                if (!Suits(plan.Fault, request.Kind) || !plan.Those(request)) continue;
                if (plan.Chance is { } chance)
                {
                    if (isSpared || chance.NextDouble() >= plan.Share) continue;
                    spared.Add(request);
                }

                if (--plan.Left == 0) plans.RemoveAt(i);
                return plan.Fault;
            }

            return null;
        }
    }

    private static bool IsForDocuments(PendingRequest request) => request.Kind != RequestKind.Metadata;

    private static bool Suits(Fault problem, RequestKind kind) => problem switch
    {
        Fault.ShortPage => kind is RequestKind.Query or RequestKind.ReadFeed or RequestKind.ChangeFeed,
        Fault.EmptyPage => kind is RequestKind.Query or RequestKind.ReadFeed,
        _ => true,
    };

    private void Add(Plan plan)
    {
        lock (gate) plans.Add(plan);
    }

    private sealed class Plan(Fault problem, Predicate<PendingRequest> those, Random? chance, double share, int left)
    {
        public Fault Fault => problem;

        public Predicate<PendingRequest> Those => those;

        public Random? Chance => chance;

        public double Share => share;

        public int Left { get; set; } = left;
    }
}
