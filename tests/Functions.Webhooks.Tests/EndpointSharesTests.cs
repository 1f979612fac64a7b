using NodeStash.Functions.Webhooks.Delivery;

namespace NodeStash.Functions.Webhooks.Tests;

public sealed class EndpointSharesTests
{
    private static readonly TimeSpan Slow = EndpointShares.SlowFrom + TimeSpan.FromTicks(1);

    private readonly EndpointShares shares = new();

    [Fact]
    public void A_quick_endpoint_is_not_bounded()
    {
        var taken = Enumerable.Range(0, 100).Select(_ => shares.Take("wh_1")).ToList();

        Assert.DoesNotContain(null, taken);
    }

    [Fact]
    public void A_slow_endpoint_gets_a_few_at_a_time()
    {
        var taken = Enumerable.Range(0, EndpointShares.MostWhenSlow).Select(_ => shares.Take("wh_1")).ToList();
        taken[0]!.Took(Slow);

        Assert.Null(shares.Take("wh_1"));
        taken[1]!.Dispose();
        Assert.NotNull(shares.Take("wh_1"));
        Assert.Null(shares.Take("wh_1"));
    }

    [Fact]
    public void One_that_is_quick_again_is_not_bounded_any_more()
    {
        var taken = Enumerable.Range(0, EndpointShares.MostWhenSlow).Select(_ => shares.Take("wh_1")).ToList();
        taken[0]!.Took(Slow);
        taken[1]!.Took(EndpointShares.SlowFrom);

        Assert.NotNull(shares.Take("wh_1"));
    }

    [Fact]
    public void A_slow_endpoint_takes_nothing_from_another()
    {
        foreach (var share in Enumerable.Range(0, EndpointShares.MostWhenSlow).Select(_ => shares.Take("wh_1")).ToList()) share!.Took(Slow);

        Assert.Null(shares.Take("wh_1"));
        Assert.NotNull(shares.Take("wh_2"));
    }
}
