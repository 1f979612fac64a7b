using System.Globalization;
using NodeStash.Core.Values;
using NodeStash.Core.Webhooks;

namespace NodeStash.LocalHost.Demo;

/// <summary>What has to arrive at the receiver, noted as changes are made; and at the end the checks.</summary>
internal sealed class Report(Narration tell)
{
    /// <summary>Clocks that wait and clocks that measure may differ by this much.</summary>
    private static readonly TimeSpan Tolerance = TimeSpan.FromMilliseconds(100);

    private readonly List<Expected> expected = [];

    /// <summary>Notes a change that was made: it raises the record's version by one, and causes these events, in this order.</summary>
    public void Expect(string recordId, params string[] events)
    {
        var version = VersionOf(recordId) + 1;
        expected.AddRange(events.Select(name => new Expected(recordId, name, version)));
    }

    /// <summary>Whether every expected event was delivered.</summary>
    public bool IsComplete(IReadOnlyList<Arrival> arrivals) => !Missing(arrivals).Any();

    /// <summary>Checks everything, a line each.</summary>
    /// <param name="arrivals">Every delivery, in the order of arrival.</param>
    /// <param name="sale">What the API answered in the end.</param>
    /// <param name="isAlone">Whether nobody else changes records there, so that other events would be invented ones.</param>
    public void Judge(IReadOnlyList<Arrival> arrivals, Sale sale, bool isAlone)
    {
        var records = expected.Select(e => e.RecordId).Distinct().ToList();
        var taken = Taken(arrivals).ToLookup(a => a.RecordId, Said);

        var missing = Missing(arrivals).Select(e => $"{e.Event} {e.RecordId} v{e.Version}").ToList();
        tell.Check(missing.Count == 0, "every event of every change arrived",
            missing.Count == 0 ? $"{expected.Count} of {expected.Count}" : $"missing {string.Join(", ", missing)}");

        var others = Taken(arrivals).Count(a => !records.Contains(a.RecordId));
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

    private IEnumerable<Expected> Missing(IReadOnlyList<Arrival> arrivals) => expected.Except(Taken(arrivals).Select(Said));

    /// <summary>The first accepted delivery of each event: what a receiver that knows about duplicates acts upon.</summary>
    private static IEnumerable<Arrival> Taken(IReadOnlyList<Arrival> arrivals) => arrivals.Where(a => a.IsAccepted).DistinctBy(a => a.EventId);

    private static Expected Said(Arrival arrival) => new(arrival.RecordId, arrival.Event, arrival.Version);

    private sealed record Expected(string RecordId, string Event, long Version);
}

/// <summary>How the sale stands in the end, as the API tells it.</summary>
/// <param name="Contact">Who buys.</param>
/// <param name="Deal">Read after its last change.</param>
/// <param name="WonStage">The id of the stage it has to be in.</param>
/// <param name="NotFound">The lists that did not have just the record they had to.</param>
internal sealed record Sale(Reply Contact, Reply Deal, string WonStage, IReadOnlyList<string> NotFound)
{
    /// <summary>What it is worth.</summary>
    public const string Amount = "48000.00";
}
