using System.Globalization;
using NodeStash.Core.Values;
using NodeStash.Core.Webhooks;

namespace NodeStash.LocalHost.Demo;

/// <summary>Collects the events that must arrive as changes are made, and checks them at the end.</summary>
internal sealed class Report(Narration tell)
{
    /// <summary>Maximum difference between the clock that waits and the one that measures.</summary>
    private static readonly TimeSpan Tolerance = TimeSpan.FromMilliseconds(100);

    private readonly List<Expected> expected = [];

    /// <summary>Adds a change: it raises the version of the record by one and causes these events, in this order.</summary>
    public void Expect(string recordId, params string[] events)
    {
        var version = VersionOf(recordId) + 1;
        expected.AddRange(events.Select(name => new Expected(recordId, name, version)));
    }

    /// <summary>Whether every expected event was delivered.</summary>
    public bool IsComplete(IReadOnlyList<Arrival> arrivals) => !Missing(arrivals).Any();

    /// <summary>Runs and prints all checks.</summary>
    /// <param name="arrivals">Deliveries in order of arrival.</param>
    /// <param name="sale">The final state, as the API reports it.</param>
    /// <param name="isAlone">Whether no other client changes records there, so that any other event is an error.</param>
    public void Judge(IReadOnlyList<Arrival> arrivals, Sale sale, bool isAlone)
    {
        var records = expected.Select(e => e.RecordId).Distinct().ToList();
        var taken = FirstAccepted(arrivals).ToLookup(a => a.RecordId, ToExpected);

        var missing = Missing(arrivals).Select(e => $"{e.Event} {e.RecordId} v{e.Version}").ToList();
        tell.Check(missing.Count == 0, "every event of every change arrived",
            missing.Count == 0 ? $"{expected.Count} of {expected.Count}" : $"missing {string.Join(", ", missing)}");

        var others = FirstAccepted(arrivals).Count(a => !records.Contains(a.RecordId));
        tell.Check(others == 0 || !isAlone, "no event of what was not done",
            others == 0 ? "none" : $"{others}, of records that {(isAlone ? "nobody made" : "others changed")}");

        var disordered = records.Where(id => !taken[id].SequenceEqual(expected.Where(e => e.RecordId == id))).ToList();
        tell.Check(disordered.Count == 0, "events of each record in their order",
            disordered.Count == 0 ? $"{records.Count} records" : $"not those of {string.Join(", ", disordered)}");

        var gaps = records.Where(id => !taken[id].Select(e => (int)e.Version).Distinct().SequenceEqual(Enumerable.Range(1, VersionOf(id)))).ToList();
        tell.Check(gaps.Count == 0, "versions from 1 on without a gap",
            gaps.Count == 0 ? $"the deal's up to {VersionOf(sale.Deal.Id!)}" : $"not those of {string.Join(", ", gaps)}");

        var verified = arrivals.Count(a => a.IsVerified);
        tell.Check(verified == arrivals.Count, "deliveries signed with the endpoint's secret", $"{verified} of {arrivals.Count}");

        var retry = arrivals.FirstOrDefault(a => a is { Event: "contact.created", Waited: not null } && a.RecordId == sale.Contact.Id);
        tell.Check(retry?.Waited >= RetrySchedule.Waits[0] - Tolerance, "what failed was tried again by the durable timer",
            retry is null
                ? "no second attempt"
                : string.Create(CultureInfo.InvariantCulture, $"contact.created, attempt {retry.Attempt} after {retry.Waited!.Value.TotalSeconds:0.0} s"));

        var told = arrivals.Where(a => a.RecordId == sale.Deal.Id).Select(a => a.Attributes).ToList();
        var amounts = told.Append(sale.Deal.Attributes).Select(deal => $"{deal.Member("value").GetRawText()} {deal.Member("currency")}").Distinct().ToList();
        tell.Check(told.Count > 0 && amounts is [$"\"{Sale.Amount}\" EUR"], "money exact, in the API and in every event",
            $"{string.Join(", ", amounts)} in {told.Count} events");

        var isWon = sale.Deal["stage_id"].ValueEquals(sale.WonStage) && Text.TryTime(sale.Deal["closed_at"].ToString(), out _)
            && sale.Deal.Version == Text.Invariant(VersionOf(sale.Deal.Id!));
        tell.Check(isWon, "the deal is won", $"closed_at {sale.Deal["closed_at"]}, ETag \"{sale.Deal.Version}\"");

        tell.Check(sale.NotFound.Count == 0, "filtered lists found just what was made",
            sale.NotFound.Count == 0 ? "contact, deal, meeting" : $"not so {string.Join(", ", sale.NotFound)}");
    }

    private int VersionOf(string recordId) => expected.Where(e => e.RecordId == recordId).Select(e => (int)e.Version).DefaultIfEmpty(0).Max();

    private IEnumerable<Expected> Missing(IReadOnlyList<Arrival> arrivals) => expected.Except(FirstAccepted(arrivals).Select(ToExpected));

    /// <summary>Selects the first accepted delivery of each event, as a receiver that ignores duplicates does.</summary>
    private static IEnumerable<Arrival> FirstAccepted(IReadOnlyList<Arrival> arrivals) => arrivals.Where(a => a.IsAccepted).DistinctBy(a => a.EventId);

    private static Expected ToExpected(Arrival arrival) => new(arrival.RecordId, arrival.Event, arrival.Version);

    private sealed record Expected(string RecordId, string Event, long Version);
}

/// <summary>Final state of the sale, as the API reports it.</summary>
/// <param name="Contact">The buyer.</param>
/// <param name="Deal">The deal after its last change.</param>
/// <param name="WonStage">The id of the stage that the deal must be in.</param>
/// <param name="NotFound">Lists that did not contain exactly the expected record.</param>
internal sealed record Sale(Reply Contact, Reply Deal, string WonStage, IReadOnlyList<string> NotFound)
{
    /// <summary>Value of the deal.</summary>
    public const string Amount = "48000.00";
}
