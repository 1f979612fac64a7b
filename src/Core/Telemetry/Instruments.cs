using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace NodeStash.Core.Telemetry;

/// <summary>Where traces and metrics of the product come from. Tags are names, codes and ids; never content, addresses or secrets.</summary>
public static class Instruments
{
    /// <summary>Name of the activity source and of the meter.</summary>
    public const string Name = "NodeStash";

    public static readonly ActivitySource Traces = new(Name);

    private static readonly Meter Meter = new(Name);

    /// <summary>Time to answer a request. Tags: method, status, error code.</summary>
    public static readonly Histogram<double> Requests = Meter.CreateHistogram<double>("nodestash.api.request.duration", "s", "Time to answer a request");

    /// <summary>Commits of records. Tags: result.</summary>
    public static readonly Counter<long> Commits = Meter.CreateCounter<long>("nodestash.commits", description: "Commits of records, by result");

    /// <summary>Events read off the change feed for delivery.</summary>
    public static readonly Counter<long> EventsFed =
        Meter.CreateCounter<long>("nodestash.webhooks.events", description: "Events read off the change feed for delivery");

    /// <summary>Attempts to deliver. Tags: outcome.</summary>
    public static readonly Counter<long> Attempts =
        Meter.CreateCounter<long>("nodestash.webhooks.attempts", description: "Attempts to deliver an event, by outcome");

    /// <summary>Endpoints disabled by the system. Tags: cause (gone: answered 410; failing: nothing but failures for 5 days).</summary>
    public static readonly Counter<long> EndpointsDisabled =
        Meter.CreateCounter<long>("nodestash.webhooks.endpoints.disabled", description: "Endpoints disabled by the system, by cause");

    /// <summary>Workers of endpoints that were found to be no more, though they had not come to their end, and in whose place another began.</summary>
    public static readonly Counter<long> WorkersReplaced =
        Meter.CreateCounter<long>("nodestash.webhooks.workers.replaced", description: "Workers of endpoints that were lost, and replaced");

    /// <summary>Jobs that failed every time and are kept until somebody decides. Tags: queue.</summary>
    public static readonly Counter<long> JobsGivenUp =
        Meter.CreateCounter<long>("nodestash.jobs.given_up", description: "Jobs that failed every time, by queue");

    /// <summary>Time from a change to its being found.</summary>
    public static readonly Histogram<double> SearchLag = Meter.CreateHistogram<double>("nodestash.search.lag", "s", "Time from a change to its being found");

    /// <summary>Search indexes of environments that were found missing, damaged or of another form, and are built anew.</summary>
    public static readonly Counter<long> SearchRebuilds =
        Meter.CreateCounter<long>("nodestash.search.rebuilds", description: "Search indexes found missing, damaged or of another form, and built anew");

    /// <summary>Archived records that were deleted because their time was up. Tags: type of the record; records of custom objects count as one type.</summary>
    public static readonly Counter<long> RecordsPurged =
        Meter.CreateCounter<long>("nodestash.records.purged", description: "Archived records deleted after their time, by type");

    /// <summary>Time from an event to its delivery.</summary>
    public static readonly Histogram<double> DeliveryLag =
        Meter.CreateHistogram<double>("nodestash.webhooks.delivery.lag", "s", "Time from an event to its delivery");
}
