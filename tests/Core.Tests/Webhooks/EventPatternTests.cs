using NodeStash.Core.Webhooks;

namespace NodeStash.Core.Tests.Webhooks;

public sealed class EventPatternTests
{
    [Theory]
    [InlineData("*", "contact.created", true)]
    [InlineData("deal.*", "deal.stage_changed", true)]
    [InlineData("deal.*", "deals.created", false)]
    [InlineData("deal.*", "deal", false)]
    [InlineData("pipeline.*", "pipeline_stage.created", false)]
    [InlineData("contact.created", "contact.created", true)]
    [InlineData("contact.created", "contact.updated", false)]
    [InlineData("contact.created", "CONTACT.created", false)]
    public void A_pattern_is_everything_or_a_noun_or_one_event(string pattern, string name, bool matches) =>
        Assert.Equal(matches, EventPattern.Matches([pattern], name));

    [Fact]
    public void One_of_several_patterns_is_enough()
    {
        Assert.True(EventPattern.Matches(["company.*", "contact.created"], "contact.created"));
        Assert.False(EventPattern.Matches(["company.*", "contact.created"], "contact.updated"));
        Assert.False(EventPattern.Matches([], "contact.updated"));
    }

    [Theory]
    [InlineData("*")]
    [InlineData("contact.*")]
    [InlineData("contact.merged")]
    [InlineData("deal.stage_changed")]
    [InlineData("pipeline_stage.restored")]
    [InlineData("field.deleted")]
    [InlineData("webhook.test")]
    [InlineData("vehicle.created")]
    [InlineData("vehicle.*")]
    public void Events_that_can_happen_can_be_subscribed_to(string pattern) => Assert.Null(EventPattern.Check(pattern));

    [Theory]
    [InlineData("")]
    [InlineData("contact")]
    [InlineData("contact.")]
    [InlineData(".created")]
    [InlineData("*.created")]
    [InlineData("contact.stage_changed")]
    [InlineData("contact.creat*")]
    [InlineData("deal.merged")]
    [InlineData("field.archived")]
    [InlineData("vehicle.sold")]
    [InlineData("contact.created.twice")]
    [InlineData("Contact.created")]
    [InlineData("contact.created ")]
    public void What_cannot_happen_is_a_fault(string pattern) => Assert.NotNull(EventPattern.Check(pattern));
}
