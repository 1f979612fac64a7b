using NodeStash.Core.Webhooks;

namespace NodeStash.Core.Tests.Webhooks;

public sealed class RetryScheduleTests
{
    [Theory]
    [InlineData(1, "00:00:05")]
    [InlineData(2, "00:05:00")]
    [InlineData(3, "00:30:00")]
    [InlineData(4, "02:00:00")]
    [InlineData(5, "05:00:00")]
    [InlineData(6, "10:00:00")]
    [InlineData(7, "10:00:00")]
    [InlineData(8, "14:00:00")]
    [InlineData(9, "20:00:00")]
    [InlineData(10, "1.00:00:00")]
    public void The_waits_are_those_of_the_contract_and_at_most_a_tenth_longer(int attempt, string wait)
    {
        var shortest = TimeSpan.Parse(wait, System.Globalization.CultureInfo.InvariantCulture);

        Assert.Equal(shortest, RetrySchedule.After(attempt, null, chance: 0));
        Assert.Equal(shortest * 1.05, RetrySchedule.After(attempt, null, chance: 0.5));
        Assert.Equal(shortest * 1.1, RetrySchedule.After(attempt, null, chance: 1));
    }

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    public void There_is_no_wait_after_the_last_attempt(int attempt) => Assert.Null(RetrySchedule.After(attempt, TimeSpan.FromDays(1), chance: 1));

    [Theory]
    [InlineData(0, 5)]
    [InlineData(4, 5)]
    [InlineData(7, 7)]
    [InlineData(10, 10)]
    [InlineData(11, 10)]
    public void What_the_receiver_asks_for_lengthens_a_wait_up_to_double(int asked, int expected) =>
        Assert.Equal(TimeSpan.FromSeconds(expected), RetrySchedule.After(1, TimeSpan.FromSeconds(asked), chance: 0));

    [Theory]
    [InlineData(8, 8.8)]
    [InlineData(9.5, 10)]
    [InlineData(11, 10)]
    public void Chance_comes_on_top_up_to_double_too(double asked, double expected) =>
        Assert.Equal(TimeSpan.FromSeconds(expected), RetrySchedule.After(1, TimeSpan.FromSeconds(asked), chance: 1));

    [Fact]
    public void The_longest_time_there_is_can_be_asked_for() => Assert.Equal(TimeSpan.FromHours(48), RetrySchedule.After(10, TimeSpan.MaxValue, chance: 0));
}
