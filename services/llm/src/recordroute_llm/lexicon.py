"""Closed classes of words, in English and Korean."""

from __future__ import annotations


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# fmt: off
ENGLISH_STOPWORDS = frozenset(_listed("""
    a about above after again all also am an and any are aren't as at be because been before being below
    between both but by can can't could couldn't did didn't do does doesn't doing don't down during each
    few for from further had has have having he he'd he'll he's her here here's hers herself him himself
    his how i i'd i'll i'm i've if in into is isn't it it's its itself just let let's me more most my
    myself no nor not of off on once only or other our ours out over own same she she'll she's should so
    some such than that that's the their theirs them themselves then there there's these they they'll
    they're they've this those through to too under until up us very was wasn't we we'd we'll we're we've
    were weren't what what's when where which while who whom why will with won't would you you'd you'll
    you're you've your yours yourself okay ok yeah yes well um uh er hmm mm right really actually basically
    maybe oh like gonna got get gets going go goes thing things stuff kind sort lot one ones much many
    still even now today think know mean see say said says want wants need needs make makes made good great
    fine sure thanks thank please everyone everybody somebody something anything sorry hello hi morning
    also another mr mrs ms include includes including included
"""))
KOREAN_STOPWORDS = frozenset(_listed("""
    그리고 그러면 그런데 그래서 하지만 그러나 또한 또 및 등 이 그 저 것 수 때 더 잘 좀 네 예 아니요 음 어
    아 오늘 지금 이제 정말 아주 매우 너무 다음 대해 대한 위해 통해 있는 있습니다 없습니다 합니다 했습니다
    됩니다 되었습니다 입니다 하는 같은 같습니다 우리 저희 제가 저는 우리는 저희는 이것 그것 여기 거기 모두
    함께 정도 경우 감사합니다 안녕하세요 좋습니다 알겠습니다 하겠습니다 말씀 부분 여러분 이번 가장 많은
    많이 많습니다 많았습니다
"""))
# The commonest of all: enough of them make a text English.
ENGLISH_FUNCTION_WORDS = frozenset(_listed("""
    the and to of a in is it you that we for i on was not have be are this with but they at so what
"""))
KOREAN_PARTICLES = _listed("""
    은 는 이 가 을 를 의 에 에서 에게 께 께서 로 으로 와 과 도 만 까지 부터 보다 처럼 마다 이나 나 라고
    이라고 라는 이라는 에는 에서는 으로는 로는 에도 이며 이고 하고 이랑 랑 한테 들 들은 들이 들을 들의
    입니다 이다 이에요 예요 인 님 님은 님이 씨 씨는 씨가
""")
# Ends of Korean verbs and adjectives, which no key phrase holds.
KOREAN_VERB_ENDINGS = _listed("""
    니다 세요 어요 아요 해요 네요 지만 면서 는데 하는 했던 하면 려고 해서 하고 까요 한 된 할 될
""")
# Words that every meeting repeats and that say nothing of its subject.
GENERIC_TOPICS = frozenset(_listed("""
    people percent meeting minutes project problem question example number person system process moment
    recording 회의 문제 내용 사람 생각 시간 이야기 때문 다음 부분
"""))
ABBREVIATIONS = frozenset(_listed("""
    mr mrs ms dr prof st vs etc approx no fig jr sr inc ltd co e.g i.e a.m p.m u.s u.k
"""))
UNIT_WORDS = _listed("""
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen
""")
TENS_WORDS = _listed("""
    twenty thirty forty fifty sixty seventy eighty ninety
""")
# What minutes add to a sentence without claiming anything: who speaks, that something is said, and how it is joined.
LIGHT_WORDS = frozenset(_listed("""
    team group participant participants attendee attendees speaker speakers discuss discusses discussed mention mentions
    mentioned note notes noted report reports reported state states stated explain explains explained talk talks
    talked currently already therefore however because since so although while well plus two-fold
    plan plans planned
    needed be been being going went gone doing done would will shall should must may might could there's
    팀은 참석자 참석자들 발표자 화자 언급 언급했습니다 논의 논의했습니다 설명 설명했습니다 말했습니다 밝혔습니다
    현재 따라서 때문 것으로 예정 예정입니다 계획 계획입니다 합니다 했습니다 되었습니다
    됐습니다 한다 했다 된다 됐다 있다 있음 하기로 하기 있으며 있고 하고 하며
"""))
# Words that say the same in minutes, a group each.
SYNONYMS = tuple(_listed(line) for line in """
    decide decision agree settle
    결정 확정 합의
    sell sold
    send sent mail email forward
    give gave given
    take took taken
    lose lost
    break broke broken
    steal stole stolen
    come came
    begin began begun start
    write wrote written
    tell told
    build built
    grow grew grown
    fall fell fallen
    rise rose risen
    pay paid
    meet met
    hold held
    keep kept retain
    spend spent
    speak spoke spoken
    win won
    run ran
    bring brought
    find found
    die died
    child children
    lead led
    drive drove driven
    know knew known
    think thought
    feel felt
    stand stood
    draw drew drawn
    catch caught
    lend lent
    wear wore worn
    throw threw thrown
    forget forgot forgotten
    teach taught
    hear heard
    choose chose chosen pick select
    fix repair mend solve resolve
    finish complete done end
    buy bought purchase
    update refresh revise
    problem issue trouble
    error bug defect
    customer client
    staff employee colleague worker
    remaining remain left leave
    larger bigger
    large big
    small little
    fast quick rapid
    postpone defer delay
    show demonstrate
    hire recruit
    picture photo image
    phone call
    check verify
    use used
    receive get
    move shift
    happen occur
    about roughly approximately around
    need necessary
    공유 전달 송부
    수정 고치기
    시작 개시 착수
    완료 끝나기 끝내기 마치기
    구매 구입
    확인 점검
    연기 미루기 늦추기
    문제 이슈
    오류 버그 에러
    고객 손님
    직원 사원
    보내기 발송 전송
    준비 마련
    늘기 증가
    줄이기 감소
    요청 요구
    만들기 제작
    올리기 인상
    내리기 인하
    쓰기 사용
    뽑기 채용
    열기 개최 열리기
""".strip().splitlines())
# fmt: on
