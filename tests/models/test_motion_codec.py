import json
from binascii import crc_hqx
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from models.face import load_face_model
from models.motion import Motion, expression
from models.motion_codec import MOST_BYTES, TICK_NS, Losses, MotionDecoder, MotionEncoder
from models.wire.levels import to_levels
from models.wire.tables import UNIT, load_tables
from tests.models.motions import leaping, talking

VECTORS = Path(__file__).with_name("motion_vectors.json")


def packets_of(motions: list[Motion], encoder: MotionEncoder | None = None) -> list[bytes]:
    encoder = encoder or MotionEncoder()
    return [packet for motion in motions if (packet := encoder.push(motion)) is not None]


def checked(packet: bytes) -> bytes:
    """The packet with the check that it should have."""
    return packet[:-2] + crc_hqx(packet[:-2], 0).to_bytes(2, "big")


def values(motion: Motion) -> np.ndarray:
    return np.concatenate([motion.expression, motion.rotation, motion.translation])


def test_motions_arrive_in_order_with_their_times_and_near_what_they_were() -> None:
    motions, decoder = talking(40), MotionDecoder()
    arrived = [motion for packet in packets_of(motions) for motion in decoder.push(packet)]
    by_time = {motion.pts_ns: motion for motion in reversed(arrived)}
    shapes = load_face_model().expression
    for motion in motions:
        got = by_time[motion.pts_ns]
        off = np.einsum("i,ipk->pk", got.expression - motion.expression, shapes)
        assert np.linalg.norm(off, axis=1).mean() < 0.005
        assert np.abs(got.rotation - motion.rotation).max() < 0.002
        assert np.abs(got.translation - motion.translation).max() < 0.003
    assert decoder.dropped == 0


def test_each_packet_can_be_decoded_without_the_others_and_repeats_the_motion_before() -> None:
    motions = talking(9)
    for k, packet in enumerate(packets_of(motions)):
        told = [motion.pts_ns for motion in MotionDecoder().push(packet)]
        newest = 2 * k + 1
        assert told == [motion.pts_ns for motion in motions[max(0, newest - 2) : newest + 1]]


def test_against_an_acknowledged_motion_packets_are_smaller_and_the_same_is_decoded() -> None:
    still = [Motion(5_000_000_000 + k * 40_000_000, talking(1)[0].expression) for k in range(40)]
    alone, encoder = packets_of(still), MotionEncoder()
    decoder, told, sizes = MotionDecoder(), [], []
    for motion in still:
        packet = encoder.push(motion)
        if packet is not None:
            sizes.append(len(packet))
            told.extend(decoder.push(packet))
            assert decoder.newest is not None
            encoder.acknowledged(decoder.newest)
    assert sum(sizes[1:]) < 0.6 * sum(map(len, alone[1:]))
    want = [motion for packet in alone for motion in MotionDecoder().push(packet)]
    assert [values(motion).tolist() for motion in told] == [values(motion).tolist() for motion in want]


def test_a_packet_told_from_a_motion_that_never_came_is_dropped_and_counted() -> None:
    encoder, decoder = MotionEncoder(), MotionDecoder()
    motions = [Motion(5_000_000_000 + k * 40_000_000, expression(jawOpen=0.4)) for k in range(6)]
    first = packets_of(motions[:2], encoder)
    encoder.acknowledged(0)
    second = packets_of(motions[2:], encoder)
    assert decoder.push(second[0]) == ()
    assert decoder.dropped == 1
    assert len(decoder.push(first[0])) == 2
    assert len(decoder.push(second[1])) == 3


@pytest.mark.parametrize("after", [False, True])
def test_a_head_that_leaps_as_far_as_any_may_arrives_where_it_is(after: bool) -> None:
    encoder, decoder = MotionEncoder(motions_per_packet=1), MotionDecoder()
    tables, begun = load_tables(), talking(1)[0]
    shifts = tables.bounds[-7:-1] * tables.steps[-7:-1] / UNIT
    for k, side in enumerate((1, -1, 0.4, -0.3, 1, -1)):
        rotation, translation = np.split(np.float32(side * shifts), 2)
        packet = encoder.push(Motion(k * 40_000_000, begun.expression, rotation, translation))
        assert packet is not None
        arrived = decoder.push(packet)[-1]
        np.testing.assert_allclose(arrived.rotation, rotation, atol=0.001)
        np.testing.assert_allclose(arrived.translation, translation, atol=0.002)
        if after:
            encoder.acknowledged(k)


def test_tables_whose_levels_can_differ_by_more_than_can_be_told_are_refused() -> None:
    tables = load_tables()
    with pytest.raises(AssertionError):
        replace(tables, bounds=tables.bounds + 3)


def test_a_stale_or_foreign_acknowledgement_changes_nothing() -> None:
    still = [Motion(5_000_000_000 + k * 40_000_000, talking(1)[0].expression) for k in range(10)]
    encoder, receiver = MotionEncoder(), MotionDecoder()
    encoder.acknowledged(99)
    packets = packets_of(still[:8], encoder)
    encoder.acknowledged(3)
    encoder.acknowledged(1)  # comes late
    [packet] = packets_of(still[8:], encoder)
    receiver.push(packets[3])
    assert len(packet) < 0.6 * len(packets[3])
    assert len(receiver.push(packet)) == 3


def test_sequence_and_time_wrap_around() -> None:
    encoder, decoder = MotionEncoder(motions_per_packet=1), MotionDecoder()
    encoder._sequence = 254
    begin = ((1 << 16) - 2) * TICK_NS
    motions = talking(6, begin_ns=begin)
    told = []
    for packet in packets_of(motions, encoder):
        told.append(decoder.push(packet)[-1].pts_ns)
        assert decoder.newest is not None
        encoder.acknowledged(decoder.newest)
    assert told == [motion.pts_ns for motion in motions]
    assert decoder.newest == 3
    assert encoder._reference == 259


def test_what_was_acknowledged_long_ago_is_not_taken_for_what_has_its_number_now() -> None:
    encoder, decoder = MotionEncoder(motions_per_packet=1), MotionDecoder()
    packets = packets_of(talking(300), encoder)
    for packet in packets[200:]:
        decoder.push(packet)
    encoder.acknowledged(299 - 256 + 1)
    assert encoder._reference is None
    encoder.acknowledged(299 - 256)
    assert encoder._reference == 299


def test_motions_are_repeated_coarsely_and_only_while_that_is_wanted() -> None:
    motions = talking(40)
    packets: dict[Losses, list[bytes]] = {}
    for losses in (Losses.SOME, Losses.NONE):
        encoder = MotionEncoder()
        packets[losses] = [told for each in motions if (told := encoder.push(each, losses_there=losses)) is not None]
    assert sum(map(len, packets[Losses.NONE])) < 0.9 * sum(map(len, packets[Losses.SOME]))
    shapes = load_face_model().expression
    for k, (packet, without) in enumerate(zip(packets[Losses.SOME], packets[Losses.NONE], strict=True)):
        assert [each.pts_ns for each in MotionDecoder().push(without)] == [m.pts_ns for m in motions[2 * k : 2 * k + 2]]
        again = MotionDecoder().push(packet)[0]
        off = np.einsum("i,ipk->pk", again.expression - motions[max(0, 2 * k - 1)].expression, shapes)
        assert np.linalg.norm(off, axis=1).mean() < 0.02


def test_while_many_are_lost_there_are_more_packets_and_every_motion_still_travels() -> None:
    motions, encoder, decoder = talking(52), MotionEncoder(), MotionDecoder()
    packets = [packet for each in motions if (packet := encoder.push(each, losses_there=Losses.MANY)) is not None]
    told = [[motion.pts_ns for motion in decoder.push(packet)] for packet in packets]
    assert len(packets) == 31
    assert all(earlier[-1] == later[0] for earlier, later in pairwise(told))  # each lost one's newest comes again
    assert sorted({pts_ns for packet in told for pts_ns in packet}) == [motion.pts_ns for motion in motions]


def test_a_decoder_says_that_packets_are_missing_until_none_was_for_seconds() -> None:
    sent, decoder = packets_of(talking(300)), MotionDecoder()
    for k, packet in enumerate(sent):
        if k != 20:
            decoder.push(packet)
            assert decoder.losses_here == (Losses.SOME if 20 < k < 70 else Losses.NONE)


@pytest.mark.parametrize(("every", "losses"), [(6, Losses.MANY), (10, Losses.SOME)])
def test_a_decoder_tells_many_missing_packets_from_some(every: int, losses: Losses) -> None:
    decoder = MotionDecoder()
    for k, packet in enumerate(packets_of(talking(200))):
        if k % every:
            decoder.push(packet)
    assert decoder.losses_here == losses


def test_a_packet_that_came_late_is_not_missing() -> None:
    sent, decoder = packets_of(talking(40)), MotionDecoder()
    for k in (0, 1, 3, 2):
        decoder.push(sent[k])
        assert decoder.losses_here == (Losses.SOME if k == 3 else Losses.NONE)


def test_what_is_missing_travels_along_and_is_something_until_it_came() -> None:
    encoder, decoder = MotionEncoder(), MotionDecoder()
    assert decoder.losses_there == Losses.SOME
    for losses in (Losses.NONE, Losses.MANY, Losses.SOME, Losses.NONE):
        packets = [packet for each in talking(2) if (packet := encoder.push(each, losses_here=losses)) is not None]
        decoder.push(packets[0])
        assert decoder.losses_there == losses


def test_an_acknowledgement_travels_along() -> None:
    encoder, decoder = MotionEncoder(1), MotionDecoder()
    packet = encoder.push(talking(1)[0], acknowledge=213)
    assert packet is not None
    decoder.push(packet)
    assert decoder.acknowledged == 213


def test_noise_within_a_step_is_not_told() -> None:
    motion = talking(1)[0]
    levels = to_levels(motion)
    noisy = Motion(0, motion.expression + np.float32(1e-4), motion.rotation, motion.translation)
    assert (to_levels(noisy, levels) == levels).all()


@pytest.mark.parametrize("cut", range(40))
def test_a_cut_packet_is_dropped(cut: int) -> None:
    packet, decoder = packets_of(talking(4))[1], MotionDecoder()
    assert decoder.push(packet[:cut]) == ()
    assert decoder.dropped == 1


def test_a_damaged_packet_is_dropped() -> None:
    packet, decoder = packets_of(talking(4))[1], MotionDecoder()
    for bit in range(8 * len(packet)):
        damaged = bytearray(packet)
        damaged[bit // 8] ^= 1 << bit % 8
        assert decoder.push(bytes(damaged)) == ()
    assert decoder.dropped == 8 * len(packet)


def test_another_version_and_endless_packets_are_dropped() -> None:
    packet, decoder = packets_of(talking(4))[1], MotionDecoder()
    assert decoder.push(checked(bytes([0x20 | packet[0] & 15]) + packet[1:])) == ()
    assert decoder.push(checked(bytes([packet[0] | 12]) + packet[1:])) == ()
    assert decoder.push(checked(packet[:-2] + bytes(MOST_BYTES))) == ()
    assert decoder.dropped == 3


@pytest.mark.parametrize("body", [b"", bytes(20)])
def test_a_packet_that_ends_before_its_motions_is_dropped(body: bytes) -> None:
    decoder = MotionDecoder()
    assert decoder.push(checked(b"\x30\0\0\0" + body + b"\0\0")) == ()
    assert decoder.dropped == 1


def test_a_packet_with_a_difference_that_is_between_no_two_levels_is_dropped() -> None:
    decoder = MotionDecoder()
    assert len(decoder.push(leaping(0))) == 1
    assert decoder.push(leaping(1)) == () and decoder.dropped == 1


def test_forged_packets_give_possible_motions_or_none() -> None:
    draw, decoder = np.random.default_rng(3), MotionDecoder()
    packets, came = packets_of(talking(40)), 0
    for k in range(600):
        forged = bytearray(packets[k % len(packets)])
        for _ in range(int(draw.integers(1, 9))):
            forged[int(draw.integers(len(forged) - 2))] = int(draw.integers(256))
        if draw.random() < 0.2:
            forged = bytearray(draw.bytes(int(draw.integers(0, 300))))
        for motion in decoder.push(checked(bytes(forged).ljust(6, b"\0"))):
            came += 1
            assert np.abs(motion.expression).max() <= 2
            assert np.abs(motion.rotation).max() < 2
            assert np.abs(motion.translation).max() < 9
            assert 0 <= motion.confidence <= 1
    assert came > 100


def test_acknowledgements_that_stop_leave_packets_that_can_be_decoded() -> None:
    encoder, decoder = MotionEncoder(motions_per_packet=1), MotionDecoder()
    for k, packet in enumerate(packets_of(talking(3), encoder)):
        decoder.push(packet)
        encoder.acknowledged(k)
    for packet in packets_of(talking(90, begin_ns=6_000_000_000), encoder):
        assert decoder.push(packet)


def test_neither_end_remembers_more_than_it_may() -> None:
    encoder, decoder = MotionEncoder(motions_per_packet=1), MotionDecoder()
    for packet in packets_of(talking(90), encoder):
        decoder.push(packet)
    assert len(encoder._sent) == len(decoder._known) == 64


def test_the_documented_packets_mean_what_they_meant() -> None:
    """Other programs read these, too: when this fails, `VERSION` has to change."""
    told, decoder = json.loads(VECTORS.read_text()), MotionDecoder()
    for vector in told["packets"]:
        motions = decoder.push(bytes.fromhex(vector["hex"]))
        assert [motion.pts_ns // TICK_NS for motion in motions] == vector["ticks"]
        for motion, want in zip(motions, vector["values"], strict=True):
            np.testing.assert_allclose(values(motion), want, atol=2e-6)
        np.testing.assert_allclose([motion.confidence for motion in motions], vector["confidence"])
    assert decoder.dropped == 0
