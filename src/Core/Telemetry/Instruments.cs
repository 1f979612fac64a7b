using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace NodeStash.Core.Telemetry;

/// <summary>Declares the traces and metrics of the product. Tags are names, codes and ids; never content, addresses or secrets.</summary>
public static class Instruments
{
    /// <summary>Name of the activity source and of the meter.</summary>
    public const string Name = "NodeStash";

    /// <summary>Source of the product's traces.</summary>
    public static readonly ActivitySource Traces = new(Name);

    private static readonly Meter Meter = new(Name);

    /// <summary>Time to answer a request, in seconds. Tags: method, status, error code, operation.</summary>
    public static readonly Histogram<double> Requests = Meter.CreateHistogram<double>("nodestash.api.request.duration", "s", "Time to answer a request");

    /// <summary>Number of commits of records. Tags: result.</summary>
    public static readonly Counter<long> Commits = Meter.CreateCounter<long>("nodestash.commits", description: "Commits of records, by result");

    /// <summary>Number of events read from the change feed for delivery.</summary>
    public static readonly Counter<long> EventsFed =
        Meter.CreateCounter<long>("nodestash.webhooks.events", description: "Events read off the change feed for delivery");

    /// <summary>Number of attempts to deliver an event. Tags: outcome.</summary>
    public static readonly Counter<long> Attempts =
        Meter.CreateCounter<long>("nodestash.webhooks.attempts", description: "Attempts to deliver an event, by outcome");

    /// <summary>Number of endpoints disabled by the system. Tags: cause (gone: answered 410; failing: only failures for 5 days).</summary>
    public static readonly Counter<long> EndpointsDisabled =
        Meter.CreateCounter<long>("nodestash.webhooks.endpoints.disabled", description: "Endpoints disabled by the system, by cause");

    /// <summary>Number of endpoint workers that were lost before they ended, and replaced by another.</summary>
    public static readonly Counter<long> WorkersReplaced =
        Meter.CreateCounter<long>("nodestash.webhooks.workers.replaced", description: "Workers of endpoints that were lost, and replaced");

    /// <summary>Number of jobs that failed every time and are kept until an operator decides. Tags: queue.</summary>
    public static readonly Counter<long> JobsGivenUp =
        Meter.CreateCounter<long>("nodestash.jobs.given_up", description: "Jobs that failed every time, by queue");

    /// <summary>Time from a change until search finds it, in seconds.</summary>
    public static readonly Histogram<double> SearchLag = Meter.CreateHistogram<double>("nodestash.search.lag", "s", "Time from a change to its being found");

    /// <summary>Number of search indexes found missing, damaged or of another format, and rebuilt.</summary>
    public static readonly Counter<long> SearchRebuilds =
        Meter.CreateCounter<long>("nodestash.search.rebuilds", description: "Search indexes found missing, damaged or of another form, and built anew");

    /// <summary>Number of archived records deleted after their retention. Tags: type; all records of custom objects count as one type.</summary>
    public static readonly Counter<long> RecordsPurged =
        Meter.CreateCounter<long>("nodestash.records.purged", description: "Archived records deleted after their time, by type");

    /// <summary>Time from an event to its delivery, in seconds.</summary>
    public static readonly Histogram<double> DeliveryLag =
        Meter.CreateHistogram<double>("nodestash.webhooks.delivery.lag", "s", "Time from an event to its delivery");
}
