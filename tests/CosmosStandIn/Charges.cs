namespace NodeStash.CosmosStandIn;

/// <summary>
/// Estimates of what the service charges, in request units: good for comparing ways of doing a thing, not for a bill. Sources: Microsoft Learn, "Request
/// units" (point read of 1 KB: 1, of 100 KB: 10) and "Optimize request cost" (insert of 1 KB without index: about 5.3, of 100 KB: 50; more per indexed value).
/// </summary>
internal static class Charges
{
    /// <summary>What a metadata request, or an answer without any work, is taken to cost.</summary>
    public const double Least = 1;

    public static double PointRead(int bytes) => Round(1 + (Kilobytes(bytes) * 0.09));

    /// <summary>A create, replace, patch or delete.</summary>
    public static double Write(IndexPolicy index, JsonObject body, int bytes) =>
        Round(5 + (Kilobytes(bytes) * 0.45) + ((Indexed(index, [], body) + index.Composites) * 0.1));

    /// <param name="matches">Documents found by the index.</param>
    /// <param name="loaded">Documents that had to be looked into, for a filter or to be answered.</param>
    /// <param name="bytes">Their size.</param>
    public static double Query(int matches, int loaded, long bytes) => Round(2.3 + (matches * 0.01) + (loaded * 0.02) + (bytes / 1024.0 * 0.05));

    private static double Kilobytes(int bytes) => Math.Max(0, (bytes / 1024.0) - 1);

    private static int Indexed(IndexPolicy index, IReadOnlyList<string> path, object? value) => value switch
    {
        JsonObject members => members.Sum(member => Indexed(index, [.. path, member.Key], member.Value)),
        JsonArray items => items.Sum(item => Indexed(index, [.. path, "[]"], item)),
        _ => index.Covers(path) ? 1 : 0,
    };

    private static double Round(double charge) => Math.Round(charge, 2);
}
